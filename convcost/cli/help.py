"""The help of the command line: commands in groups, a summary line for each, and examples."""

from __future__ import annotations

GROUPS = {
    "Count": {
        "analyze": "Cost per layer, block, stage or kind, and in total.",
        "memory": "Parameters, activations, peak memory, and training memory.",
        "traffic": "Elements and bytes that each layer reads and writes.",
        "receptive": "Receptive field and effective stride of every layer.",
    },
    "Compare and prove": {
        "compare": "Costs side by side, with exact ratios and their formulas.",
        "diff": "What changes from one network to another, row by row.",
        "table": "One row for each network, with any metrics.",
        "formula": "Closed forms, per layer and in total.",
        "scaling": "How the cost grows with each parameter.",
        "equal": "Prove that targets cost the same, or find a counterexample.",
    },
    "Design to a budget": {
        "solve": "The parameter value that meets a budget, with its neighbours.",
        "sweep": "Metrics at all combinations of parameter values.",
        "explore": "A page on which the parameters of a network can be moved.",
        "space": "All networks of a design space: counts, samples, the best.",
    },
    "Counting conventions": {
        "conventions": "The counting conventions, or a target under each of them.",
        "explain": "What gives the number that a paper or a tool reports.",
        "verify": "Check numbers printed in papers against the networks.",
    },
    "Hardware": {
        "roofline": "A lower bound on time, and what limits each layer.",
    },
    "See": {
        "draw": "A network as boxes and lines, with its repeats once.",
        "plot": "Costs of networks as bars or curves.",
    },
    "Specs": {
        "list": "Bundled networks and blocks, with their cost.",
        "show": "The source of a bundled spec.",
        "layers": "Reference of the layers: fields, formulas, sources.",
        "check": "Check specs for errors and networks against budgets.",
        "convert": "Write a model as a spec, with repeats and blocks, or as ONNX.",
        "init": "Write a commented spec to start from.",
        "schema": "JSON Schema of the spec language, for editors.",
    },
}

FUNCTIONS = {  # what a command is called in Python, where that is another name
    "conventions": "survey",
    "init": "starter",
    "layers": "list_layers",
    "list": "list_specs",
}

EXAMPLES = {
    "analyze": ("convcost analyze mobilenet_v2 --by stage", "convcost analyze resnet50 --input 3x160x160 --by kind"),
    "memory": ("convcost memory mobilenet_v2 --dtype int8",),
    "traffic": ("convcost traffic mobilenet_v1 --by stage --dtype float16",),
    "receptive": ("convcost receptive alexnet",),
    "compare": ("convcost compare bottleneck plain", "convcost compare mobilenet_v1 mobilenet_v2 --set alpha=0.5"),
    "diff": ("convcost diff resnet18 resnet34 --by stage",),
    "table": ("convcost table mobilenet_v1 mobilenet_v2 shufflenet_v1 --columns params,macs,peak",),
    "formula": ("convcost formula bottleneck", "convcost formula resnet50 --free size --total --in macs"),
    "scaling": ("convcost scaling mobilenet_v1 --free alpha",),
    "equal": ("convcost equal group_conv depthwise_conv --where G=I --where O=I",),
    "solve": ("convcost solve mobilenet_v2 --for alpha --budget 'macs<=200M'",),
    "explore": (
        "convcost explore mobilenet_v1 --free alpha,size -o explore.html",
        "convcost explore bottleneck plain -o blocks.html",
    ),
    "space": ("convcost space ofa_mobilenet_v3 --set size=224 --front 'max params, min macs'",),
    "sweep": (
        "convcost sweep mobilenet_v2 --over alpha=0.5:1.4:0.1 --over size=128:224:32 --keep 'macs<=200M' --top 5",
        "convcost sweep mobilenet_v1 --over alpha=0.25:1:0.001 --over size=96:256 -o points.csv",
    ),
    "conventions": ("convcost conventions", "convcost conventions vgg16"),
    "explain": ("convcost explain resnet50 --reported 3.8G",),
    "verify": ("convcost verify lenet5",),
    "roofline": ("convcost roofline mobilenet_v2 --device raspberry_pi_4 --by stage", "convcost roofline"),
    "draw": ("convcost draw bottleneck_residual", "convcost draw resnet50 -o resnet50.svg"),
    "plot": (
        "convcost plot mobilenet_v1",
        "convcost plot resnet50 --kind roofline --device v100 -o roofline.svg",
        "convcost plot depthwise_separable_conv standard_conv --kind ratio --over O=1:64",
    ),
    "list": ("convcost list --blocks",),
    "show": ("convcost show bottleneck",),
    "layers": ("convcost layers conv",),
    "check": (
        "convcost check specs/resnet50.yaml",
        "convcost check mobilenet_v2 --budget 'macs<=350M' --budget 'peak<=7MB'",
    ),
    "convert": ("convcost convert alexnet", "convcost convert resnet50 -o resnet50.onnx"),
    "init": ("convcost init mynet",),
    "schema": ("convcost schema",),
}

OTHER_WORDS = {  # what people type, and the command that does it
    "summary": "analyze",
    "flops": "analyze",
    "count": "analyze",
    "profile": "analyze",
    "info": "analyze",
    "latency": "roofline",
    "validate": "check",
    "import": "convert",
    "export": "convert",
    "lint": "check",
}
