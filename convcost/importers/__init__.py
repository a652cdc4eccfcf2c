"""Files of other tools as sources of graphs: ONNX files, PyTorch modules and Keras models."""
