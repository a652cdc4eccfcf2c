"""What costs beside operations: memory, traffic, receptive fields, and time on a roofline. Functions over a graph."""
