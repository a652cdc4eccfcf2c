"""The bundled networks against what other libraries measure and papers describe."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from conftest import DATA, ROOT
from networks import layer_key, layer_keys, network, rows, totals

from convcost import list_specs
from convcost.catalogue.loader import Catalogue, bundled_names

TOTALS = rows("totals.csv")
OTHER_SIZES = rows("other_sizes.csv")
COUNTED = rows("counted_by_layer.csv")
TABLES = sorted(path.name for path in (DATA / "layers").iterdir())
NETWORKS = bundled_names(blocks=False)
BLOCKS = bundled_names(blocks=True)
KERAS_WITHOUT_SCALE = ("InceptionV3", "InceptionResNetV2")
KERAS_WITH_BIASES = ("ResNet50", "ResNet101")


@pytest.mark.parametrize("row", TOTALS, ids=lambda row: f"{row['library']}-{row['model']}")
def test_totals_are_what_libraries_measure(row: dict[str, str]) -> None:
    graph = network(row["spec"], row["settings"], row["input"])
    found = totals(graph)
    params = found["params"]
    normalised = found["buffers"] // 2  # a running mean and a variance for each channel
    if row["model"] in KERAS_WITHOUT_SCALE:
        params -= normalised
    if row["library"].startswith("keras") and row["model"] in KERAS_WITH_BIASES:
        params += normalised
    assert params == int(row["params"])
    if "aux=true" in row["settings"]:
        found = totals(network(row["spec"], "", row["input"]))
    assert found["macs"] == int(row["macs"])


@pytest.mark.parametrize("row", OTHER_SIZES, ids=lambda row: f"{row['model']}-{row['input']}")
def test_other_sizes_widths_and_classes(row: dict[str, str]) -> None:
    settings = f"{row['settings']} classes={row['classes']}"
    found = totals(network(row["spec"], settings, row["input"]))
    assert (found["params"], found["macs"]) == (int(row["params"]), int(row["macs"]))
    if row["layers"]:
        assert found["layers"] == int(row["layers"])


@pytest.mark.parametrize("row", COUNTED, ids=lambda row: row["id"])
def test_parts_of_the_totals(row: dict[str, str]) -> None:
    found = totals(network(row["spec"], row["settings"], row["input"]))
    stored = {"weights": "weights", "macs": "macs", "norms": "norm_params", "conv_macs": "conv_macs"}
    expected = {ours: int(row[theirs]) for theirs, ours in stored.items() if row[theirs]}
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("table", TABLES)
def test_layers_are_those_of_the_table(table: str) -> None:
    with open(DATA / "layers" / table, encoding="utf-8") as stream:
        head, asked = stream.readline(), stream.readline()
    name, *settings = asked.removeprefix("# spec: ").split()
    listed = rows(f"layers/{table}")
    graph = network(name, " ".join(settings), head.partition(" input ")[2].split()[0].rstrip(","))
    found = layer_keys(graph)
    expected = [layer_key(row) for row in listed]
    assert found.total() == len(expected)
    assert {key: found[key] for key in set(expected)} == {key: expected.count(key) for key in expected}


@pytest.mark.parametrize("row", rows("products.csv"), ids=lambda row: f"{row['library']} {row['model']} {row['input']}")
def test_networks_with_products_of_activations(row: dict[str, str]) -> None:
    found = totals(network(row["spec"], row["settings"], row["input"]))
    assert (found["params"], 2 * found["macs"]) == (int(row["params"]), int(row["flops"]))


def test_named_networks_are_there() -> None:
    singles = """lenet5 alexnet nin_imagenet nin_cifar10 vgg11 vgg13 vgg16 vgg_c vgg19 googlenet inception_v2
        inception_v2_factorised inception_v3 inception_v4 inception_resnet_v1 inception_resnet_v2 xception
        resnet_cifar resnext50 resnext101 mobilenet_v1 mobilenet_v2 mobilefacenet shufflenet_v1 squeezenet1_0
        squeezenet1_1 shufflenet_v2 mobilenet_v3 mnasnet se_resnet50 senet154 ghostnet regnet_x regnet_y convnext
        wide_resnet50_2 unet fcn_vgg16 yolov3_tiny vit_b_16 vit_s_16 swin_t mobilevit_s"""
    wanted = set(singles.split())
    wanted |= {f"resnet{depth}" for depth in (18, 34, 50, 101, 152)}
    wanted |= {f"densenet{depth}" for depth in (121, 161, 169, 201)}
    wanted |= {f"efficientnet_b{number}" for number in range(8)}
    assert wanted <= set(NETWORKS)


@pytest.mark.parametrize("name", [*NETWORKS, *BLOCKS])
def test_specs_are_sound_and_use_all_they_define(name: str) -> None:
    loader = Catalogue()
    spec = loader.target(name)
    assert not loader.warnings.all
    assert not set(spec.blocks) & set(BLOCKS)  # editors would check the wrong arguments
    if name in NETWORKS:
        assert spec.family
        assert spec.year
        assert spec.source.get("paper")


@pytest.mark.parametrize(
    ("name", "input_", "output"),
    [
        ("mobilefacenet", "3x112x96", (128, 1, 1)),  # the last depthwise kernel follows the map
        ("mobilenet_v1", "3x97x129", (1000,)),
        ("shufflenet_v1", "3x193x257", (1000,)),
        ("unet", "1x572x572", (2, 388, 388)),
        ("fcn_vgg16", "3x375x500", (21, 375, 500)),
        ("yolov3_tiny", "3x608x416", (255, 38, 26)),
        ("inception_v4", "3x193x257", (1000,)),
        ("inception_resnet_v1", "3x193x257", (1000,)),
        ("inception_v2", "3x225x97", (1000,)),
    ],
)
def test_output_for_another_input(name: str, input_: str, output: tuple[int, ...]) -> None:
    graph = network(name, "", input_)
    assert graph.nodes[graph.output].shape == output


def test_resolution_multiplier_touches_no_parameter() -> None:
    full, reduced = totals(network("mobilenet_v1")), totals(network("mobilenet_v1", "rho=0.714"))
    assert network("mobilenet_v1", "rho=0.714").input == (3, 160, 160)  # table 7 of the paper: 0.714 of 224 is 160
    assert reduced["params"] == full["params"]
    assert reduced["macs"] == 290_675_200


def test_towers_cost_what_groups_do() -> None:
    towers, groups = totals(network("alexnet", "variant=towers")), totals(network("alexnet"))
    assert (towers["params"], towers["macs"]) == (groups["params"], groups["macs"]) == (60_965_224, 724_406_816)


def test_depth_of_a_cifar_network_is_6n_plus_2() -> None:
    with pytest.raises(Exception, match=r"resnet_cifar.yaml:\d+:\d+: `repeat` must be a whole number, found 19/6"):
        network("resnet_cifar", "depth=21")


def test_families_stand_together_in_the_list() -> None:
    entries = list_specs(blocks=False)
    families = [entry.family for entry in entries]
    assert len(set(families)) == sum(a != b for a, b in zip(["", *families], families, strict=False))
    names = [entry.name for entry in entries]
    order = [names.index(name) for name in ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")]
    assert order == sorted(order)
    assert all(entry.params > 0 and entry.macs > 0 and entry.year for entry in entries)


def test_the_catalogue_loads_in_a_second_per_hundred_specs() -> None:
    code = """
        from time import process_time
        from convcost.language.interpret import build
        from convcost.catalogue.loader import Catalogue, bundled_names
        start, loader = process_time(), Catalogue()
        for name in bundled_names():
            build(loader.target(name))
        print((process_time() - start) / len(bundled_names()))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.01
