"""Design spaces: all networks that a spec with `choose` describes, counted without building each of them."""
