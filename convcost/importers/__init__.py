"""Files of other tools as sources of graphs: ONNX."""
