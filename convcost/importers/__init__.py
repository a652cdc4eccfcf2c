"""Files of other tools as sources of graphs: ONNX files and PyTorch modules."""
