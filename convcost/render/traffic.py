"""What ``traffic`` says beside its rows."""

from __future__ import annotations

from convcost.render.analysis import Parts

TRAFFIC = Parts(
    doc=(
        "every layer reads its input and its constants from memory once and writes its output once; views move "
        "nothing, a concatenation copies; norms and activations that are fused move nothing of their own"
    )
)
