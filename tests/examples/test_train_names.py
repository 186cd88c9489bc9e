"""examples/train_names.py, the main job: what it prints and writes, again from the same seed, and what it refuses."""

import importlib
import os
import random
import re
import signal
import string
import subprocess
import sys
import time
import xml.etree.ElementTree
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

import minigrad
import nn
from tests.support import ROOT
from tests.support.runs import Outcome, contents, finish

PROGRAM = ROOT / "examples" / "train_names.py"
FILES = ["graph.svg", "loss.png", "model.npz"]  # in the order of their names
WRITTEN = ["model.npz", "loss.png", "graph.svg"]  # in the order in which they are written
BLOCK, EMBEDDING, HIDDEN = 2, 4, 12
OPTIONS = f"--steps 50 --batch 16 --block {BLOCK} --embedding {EMBEDDING} --hidden {HIDDEN} --seed 7 --quiet".split()


def start(folder: Path, *options: str, before: Sequence[str] = ()) -> subprocess.Popen[str]:
    """Start the program as a user does, in a folder with a list of names; `before` is a command that starts it."""
    return subprocess.Popen(
        [*before, sys.executable, str(PROGRAM), "--names", "names.txt", *options],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(path: Path) -> None:
    """Wait until a file is there."""
    end = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < end, f"no {path}"
        time.sleep(0.005)


@pytest.fixture(scope="module")
def names() -> list[str]:
    """Two hundred names, of a consonant and a vowel in turn."""
    source = random.Random(0)
    syllables = [consonant + vowel for consonant in "bdklmnrst" for vowel in "aeio"]
    return ["".join(source.choices(syllables, k=source.randint(1, 4))) for _ in range(200)]


def write_names(folder: Path, names: Iterable[str]) -> None:
    """Write a list of names where `start` looks for it."""
    (folder / "names.txt").write_text("\n".join(names) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def program() -> ModuleType:
    """The program as a module, for its parts and for runs that end before they begin."""
    return importlib.import_module(PROGRAM.stem)


class Runs(NamedTuple):
    """Two finished runs with the same options, and the folders that they ran in."""

    folders: list[Path]
    outcomes: list[Outcome]


@pytest.fixture(scope="module")
def runs(names: list[str], tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Two runs at the same time."""
    folders = [tmp_path_factory.mktemp("run") for _ in range(2)]
    for folder in folders:
        write_names(folder, names)
    return Runs(folders, [finish(process) for process in [start(folder, *OPTIONS) for folder in folders]])


# A run


def printed(label: str, output: str) -> float:
    """The number that the program printed behind a label."""
    (number,) = re.findall(rf"^{label} +(\d+\.\d{{4}})$", output, re.MULTILINE)
    return float(number)


def test_it_succeeds_without_a_complaint(runs: Runs) -> None:
    for outcome in runs.outcomes:
        assert outcome.code == 0, outcome.errors
        assert outcome.errors == ""


def test_it_prints_the_losses(runs: Runs) -> None:
    """After fifty steps it does better than chance among all characters, which is log(27) = 3.3."""
    output = runs.outcomes[0].output
    assert 0 < printed("train loss", output) < 3.1
    assert 0 < printed("validation loss", output) < 3.1


def test_it_prints_twenty_new_names_of_the_alphabet(runs: Runs) -> None:
    lines = runs.outcomes[0].output.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("validation loss")) + 1
    new_names, rest = lines[first : first + 20], lines[first + 20 :]
    assert all(set(name) <= set(string.ascii_lowercase) for name in new_names)
    assert sum(map(len, new_names)) > 20
    assert rest == [f"wrote {Path('out') / name}" for name in WRITTEN]


def test_it_writes_three_files_and_nothing_else(runs: Runs) -> None:
    for folder in runs.folders:
        assert [*contents(folder)] == ["names.txt", *(f"out/{name}" for name in FILES)]


def test_the_loss_curve_is_a_picture(runs: Runs) -> None:
    picture = (runs.folders[0] / "out" / "loss.png").read_bytes()
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert picture.endswith(b"IEND\xaeB`\x82")


def test_the_graph_is_a_drawing_of_the_model(runs: Runs) -> None:
    root = xml.etree.ElementTree.parse(runs.folders[0] / "out" / "graph.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    text = "".join(root.itertext())
    for parameter in ("0.weight", "2.weight", "3.weight", "3.bias", "5.weight", "5.bias"):
        assert parameter in text


def saved_model(folder: Path) -> nn.MLP:
    """The model that a run in a folder wrote."""
    saved = minigrad.load(folder / "out" / "model.npz")
    assert saved["characters"] == "." + string.ascii_lowercase
    model = nn.MLP(**saved["sizes"])
    model.load_state_dict(saved["model"])
    return model.eval()


def test_the_saved_model_has_the_validation_loss_that_was_printed(
    runs: Runs, names: list[str], program: ModuleType
) -> None:
    _, validation, _ = program.split(names, seed=7)
    inputs, targets = program.contexts(validation, "." + string.ascii_lowercase, BLOCK)
    logits = torch.tensor(saved_model(runs.folders[0])(inputs).detach().numpy())
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(targets.numpy())).item()
    assert loss == pytest.approx(printed("validation loss", runs.outcomes[0].output), abs=0.6e-4)


def test_it_trained_every_step_in_batches(runs: Runs) -> None:
    state = saved_model(runs.folders[0]).state_dict()
    assert state["3.num_batches_tracked"].item() == 50


def test_the_same_seed_prints_and_learns_the_same(runs: Runs) -> None:
    first, second = runs.outcomes
    assert first.output == second.output
    models = [saved_model(folder).state_dict() for folder in runs.folders]
    assert all((models[0][name].array == models[1][name].array).all() for name in models[0])


def test_another_alphabet_and_a_plain_model(
    program: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_names(tmp_path, ["ÄnÖ", "öre", "nörÄ"] * 10)
    options = f"--alphabet ÄÖöner --plain --steps 3 --batch 1 --hidden 5 4 --out {tmp_path / 'new' / 'out'} --quiet"
    assert program.main(["--names", str(tmp_path / "names.txt"), *options.split()]) == 0
    assert "Linear(in_features=5, out_features=4, bias=True)" in capsys.readouterr().out
    assert [*contents(tmp_path / "new" / "out")] == FILES


# The parts of the job


@pytest.mark.parametrize("plain", [[], ["--plain"]], ids=["BatchNorm", "plain"])
@pytest.mark.parametrize("optimizer", ["--momentum 0.9", "--optimizer AdamW --lr 0.01"])
def test_the_derived_function_learns_the_same(
    program: ModuleType, names: list[str], plain: list[str], optimizer: str
) -> None:
    losses, parameters = [], []
    for derived in ([], ["--derived"]):
        training, _ = program.prepared(names, program.parse([*OPTIONS, *plain, *derived, *optimizer.split()]))
        training.run(save=lambda: None)
        losses.append(training.losses)
        parameters.append(np.concatenate([p.detach().numpy().ravel() for p in training.model.parameters()]))
    # The two add up in another order here and there; fifty steps let a last bit grow to some hundreds.
    np.testing.assert_allclose(*losses, rtol=1e-4)
    np.testing.assert_allclose(*parameters, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("plain", [[], ["--plain"]], ids=["BatchNorm", "plain"])
def test_the_compiled_step_has_the_bits_of_the_eager_one(
    program: ModuleType, names: list[str], plain: list[str]
) -> None:
    results = []
    for eager in ([], ["--eager"]):
        training, _ = program.prepared(names, program.parse([*OPTIONS, *plain, *eager]))
        training.run(save=lambda: None)
        results.append([np.array(training.losses), *(x.numpy() for x in training.model.state_dict().values())])
    for compiled, eager in zip(*results, strict=True):
        np.testing.assert_array_equal(compiled, eager)


@pytest.mark.parametrize("optimizer", ["--momentum 0.9", "--optimizer AdamW --lr 0.01"])
def test_it_trains_as_pytorch_does(program: ModuleType, names: list[str], optimizer: str) -> None:
    """The same batches, optimizer and schedule, in PyTorch."""
    options = program.parse([*OPTIONS, "--plain", *optimizer.split()])
    training, _ = program.prepared(names, options)
    width = BLOCK * EMBEDDING
    model = torch.nn.Sequential(
        *(torch.nn.Embedding(27, EMBEDDING), torch.nn.Flatten(), torch.nn.Linear(width, HIDDEN), torch.nn.Tanh()),
        torch.nn.Linear(HIDDEN, 27),
    )
    model.load_state_dict({name: torch.tensor(x.numpy()) for name, x in training.model.state_dict().items()})
    sgd = torch.optim.SGD(model.parameters(), options.lr, momentum=options.momentum)
    reference = torch.optim.AdamW(model.parameters(), options.lr) if options.optimizer == "AdamW" else sgd
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(reference, options.steps, options.lr * options.decay)
    torch.set_rng_state(torch.tensor(minigrad.get_rng_state().numpy()))
    losses = []
    for _ in range(options.steps):
        batch = torch.randint(0, len(training.inputs), (options.batch,)).numpy()
        X, Y = (torch.tensor(x.numpy()[batch]) for x in (training.inputs, training.targets))
        loss = torch.nn.functional.cross_entropy(model(X), Y)
        reference.zero_grad()
        loss.backward()
        reference.step()
        schedule.step()
        losses.append(loss.item())
    training.run(save=lambda: None)
    np.testing.assert_allclose(training.losses, losses, rtol=1e-4)


def test_the_derived_function_makes_a_model_that_is_whole(
    program: ModuleType, names: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_names(tmp_path, names)
    arguments = [*OPTIONS, "--derived", "--names", str(tmp_path / "names.txt"), "--out", str(tmp_path / "out")]
    assert program.main(arguments) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES
    assert float(re.findall(r"validation loss (\S+)", capsys.readouterr().out)[0]) < 3.3


def test_the_contexts_of_names(program: ModuleType) -> None:
    inputs, targets = program.contexts(["ab", "", "b"], ".ab", block_size=2)
    assert inputs.tolist() == [[0, 0], [0, 1], [1, 2], [0, 0], [0, 0], [0, 2]]
    assert targets.tolist() == [1, 2, 0, 0, 2, 0]


def test_the_split(program: ModuleType, names: list[str]) -> None:
    parts = program.split(names, seed=1)
    assert [len(part) for part in parts] == [160, 20, 20]
    assert sorted([*parts[0], *parts[1], *parts[2]]) == sorted(names)
    assert program.split(names, seed=1) == parts
    assert program.split(names, seed=2) != parts
    assert parts[0] != names[:160]


@pytest.mark.parametrize(
    "data",
    [b"anna\nbo\n", b"anna\nbo", b"anna\r\nbo\r\n", b"\xef\xbb\xbfanna\nbo\n"],
    ids=["lines", "no newline at the end", "Windows", "a byte order mark"],
)
def test_names_are_read_from_any_editors_file(program: ModuleType, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes(data)
    assert program.read_names(path, string.ascii_lowercase, at_least=2) == ["anna", "bo"]


# Bad input


def run_here(program: ModuleType, capsys: pytest.CaptureFixture[str], *arguments: str) -> Outcome:
    """Run the program in this process, which is quicker where it ends at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(PROGRAM), *arguments])
        try:
            code = program.main(arguments)
        except SystemExit as end:
            code = end.code
    return Outcome(code, *capsys.readouterr())


def complaint(outcome: Outcome) -> str:
    """The one line, beside argparse's usage, that a refusal writes on stderr, with exit code 2."""
    assert outcome.code == 2
    assert "Traceback" not in outcome.errors
    usage = re.compile(r"\Ausage: .*\n(?: .*\n)*")
    (line,) = usage.sub("", outcome.errors).splitlines()
    assert line.startswith("train_names.py: ")
    return line


@pytest.mark.parametrize("line", ["  ", "an.na", "anna bo", "änna"])
def test_a_line_that_is_no_name(
    line: str, program: ModuleType, names: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_names(tmp_path, [*names[:2], line, *names[2:]])
    path, out = tmp_path / "names.txt", tmp_path / "out"
    assert f"{path}, line 3" in complaint(run_here(program, capsys, "--names", str(path), "--out", str(out), *OPTIONS))
    assert contents(out) == {}


BAD_OPTIONS = [
    "--block 9",
    "--block 100000",
    "--batch 100000",
    "--hidden 100000 100000",
    "--embedding 100000000",
    "--momentum 1",
    "--momentum -0.1",
    "--momentum 0.9 --optimizer AdamW",
    "--optimizer Adam",
    "--checkpoint 0",
    "--sample 0",
    "--batch 1",
    "--block 0",
    "--embedding 0",
    "--hidden 0",
    "--hidden 10 -1",
    "--hidden",
    "--lr -0.1",
    "--lr inf",
    "--decay 0",
    "--decay inf",
    "--seed 18446744073709551616",
    "--alphabet abc.",
    "--alphabet abca",
    "--alphabet=",
]


@pytest.mark.parametrize("options", BAD_OPTIONS)
def test_a_bad_option_is_named(
    options: str, program: ModuleType, names: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_names(tmp_path, names)
    path, out = tmp_path / "names.txt", tmp_path / "out"
    outcome = run_here(program, capsys, "--names", str(path), "--out", str(out), *OPTIONS, *options.split(" "))
    assert re.split("[ =]", options)[0] in complaint(outcome)
    assert contents(out) == {}


def test_a_learning_rate_that_explodes_is_named(
    program: ModuleType, names: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_names(tmp_path, names)
    path, out = tmp_path / "names.txt", tmp_path / "out"
    outcome = run_here(program, capsys, "--names", str(path), "--out", str(out), *OPTIONS, "--lr", "1e30")
    assert "--lr" in complaint(outcome)
    assert contents(out) == {}


# Help, and an end before its time


def test_help_names_every_option(program: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = run_here(program, capsys, "--help")
    assert (outcome.code, outcome.errors) == (0, "")
    for name in ("names", "alphabet", "out", "seed", "quiet"):
        assert f"--{name}" in outcome.output
    for name in ("block", "embedding", "hidden", "plain", "steps", "batch", "lr", "decay"):
        assert f"--{name}" in outcome.output


def test_an_interrupted_run_leaves_what_was_there(runs: Runs) -> None:
    """Ctrl+C during training, in a folder with the results of an earlier run."""
    folder = runs.folders[1]
    before = contents(folder)
    process = start(folder, "--steps", "1000000")
    assert process.stderr
    os.read(process.stderr.fileno(), 1)  # the first sign of the progress bar
    process.send_signal(signal.SIGINT)
    outcome = finish(process)
    assert outcome.code == 130
    assert "wrote" not in outcome.output
    (line,) = [line for line in outcome.errors.splitlines() if "train_names.py" in line]
    assert re.search(r"train_names\.py: interrupted; nothing was written, after \d+ steps$", line)
    assert contents(folder) == before


# Runs that go on, and files that belong together


def test_runs_that_are_killed_and_go_on_end_with_the_same_bits() -> None:
    """Ten kills; `python -m tests.support.kills` has a hundred."""
    command = [sys.executable, "-m", "tests.support.kills", "--times", "10"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert sum(map(int, re.findall(r"(\d+) kills", done.stdout))) >= 10


def test_what_an_interrupt_leaves_is_named_and_goes_on(names: list[str], tmp_path: Path) -> None:
    write_names(tmp_path, names)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process = start(tmp_path, *OPTIONS, "--steps", "1000000", "--checkpoint", "1")
        wait_for(tmp_path / "out" / "checkpoint.npz")
        process.send_signal(number)
        outcome = finish(process)
        assert outcome.code == 130
        said = r"train_names\.py: interrupted; out has checkpoint\.npz, after \d+ steps; --resume goes on\n"
        assert re.fullmatch(said, outcome.errors)
        assert [*contents(tmp_path / "out")] == ["checkpoint.npz"]
        (tmp_path / "out" / "checkpoint.npz").unlink()


def test_an_option_that_differs_from_the_run_that_goes_on(
    program: ModuleType, names: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_names(tmp_path, names)
    path, out = tmp_path / "names.txt", tmp_path / "out"
    leave_checkpoint(program, path, out)
    capsys.readouterr()
    before = contents(tmp_path)
    arguments = ["--names", str(path), "--out", str(out), "--resume", "--quiet"]
    for option in ("--lr 0.2", "--steps 60", "--hidden 5", "--derived", "--optimizer AdamW"):
        refusal = complaint(run_here(program, capsys, *arguments, *option.split()))
        assert refusal.startswith(f"train_names.py: {option.split()[0]}: ")
    write_names(tmp_path, names[1:])
    assert f"{path}: " in complaint(run_here(program, capsys, *arguments))
    write_names(tmp_path, names)
    (out / "checkpoint.npz").write_bytes((out / "checkpoint.npz").read_bytes()[:-1])
    assert str(out / "checkpoint.npz") in complaint(run_here(program, capsys, *arguments))
    minigrad.save({"settings": {}}, out / "checkpoint.npz")
    assert str(out / "checkpoint.npz") in complaint(run_here(program, capsys, *arguments))
    (out / "checkpoint.npz").write_bytes(before["out/checkpoint.npz"])
    assert contents(tmp_path) == before
    outcome = run_here(program, capsys, *arguments)
    assert (outcome.code, [*contents(out)]) == (0, FILES)
    assert "going on after 40 of 50 steps" in outcome.output
    assert "is complete" in complaint(run_here(program, capsys, *arguments))


def leave_checkpoint(program: ModuleType, path: Path, out: Path) -> None:
    """Run the program until it has written its second checkpoint, after forty of fifty steps."""
    saved, write = [], minigrad.save

    def save(state: Any, target: Path) -> None:
        write(state, target)
        saved.append(target)
        if len(saved) == 2:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(minigrad, "save", save)
        assert program.main(["--names", str(path), "--out", str(out), *OPTIONS, "--checkpoint", "20"]) == 130


def test_an_earlier_run_is_kept(
    program: ModuleType, names: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_names(tmp_path, names)
    out, arguments = tmp_path / "out", ["--names", str(tmp_path / "names.txt"), "--out", str(tmp_path / "out")]
    runs = []
    for seed in ("1", "2", "3"):
        outcome = run_here(program, capsys, *arguments, *OPTIONS, "--seed", seed)
        assert ("earlier run" in outcome.output) == (seed != "1")
        runs.append({name: (out / name).read_bytes() for name in FILES})
    for number, run in enumerate(runs[:2], start=1):
        assert contents(out / f"earlier-{number}") == run
    assert {name: (out / name).read_bytes() for name in FILES} == runs[2]


# The model first


def test_the_model_is_kept_if_a_picture_fails(names: list[str], tmp_path: Path) -> None:
    """The picture of the graph is larger than the model and the curve, and larger than this disk."""
    write_names(tmp_path, names)
    largest = 1024 * (max((tmp_path / "names.txt").stat().st_size, 90_000) // 1024)
    limit = ["bash", "-c", f'ulimit -f {largest // 1024}; exec "$@"', "-"]
    outcome = finish(start(tmp_path, *OPTIONS, "--hidden", "12", *["12"] * 12, before=limit))
    assert outcome.code == 1
    assert re.fullmatch(r"out/graph\.svg is missing: out/graph\.svg: File too large\n", outcome.errors)
    assert [*contents(tmp_path / "out")] == ["loss.png", "model.npz"]
    assert saved_model(tmp_path)


def test_a_model_that_does_not_fit_on_the_disk_is_one_line(names: list[str], tmp_path: Path) -> None:
    write_names(tmp_path, names)
    limit = ["bash", "-c", 'ulimit -f 4; exec "$@"', "-"]
    outcome = finish(start(tmp_path, *OPTIONS, "--checkpoint", "30", before=limit))
    assert outcome.code == 1
    first, second = outcome.errors.splitlines()
    assert first == "no checkpoint at step 30: out/checkpoint.npz: File too large"
    assert second == "train_names.py: out/model.npz: File too large"
    assert contents(tmp_path / "out") == {}


# Names from a model, and runs that go wrong


def test_names_from_a_saved_model(runs: Runs, program: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    model = runs.folders[0] / "out" / "model.npz"
    outputs = [run_here(program, capsys, "--model", str(model), "--sample", "7", "--seed", "3") for _ in range(2)]
    assert outputs[0] == outputs[1]
    assert outputs[0].code == 0
    lines = outputs[0].output.splitlines()
    assert len(lines) == 7
    assert set("".join(lines)) <= set(string.ascii_lowercase)
    loaded = saved_model(runs.folders[0])
    minigrad.manual_seed(3)
    assert lines == [program.sample(loaded, "." + string.ascii_lowercase) for _ in range(7)]


@pytest.mark.parametrize("content", [{"x": 1}, [1], {"sizes": {"vocab_size": 0}, "model": {}, "characters": "."}])
def test_a_file_that_holds_no_model(
    content: Any, program: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    minigrad.save(content, tmp_path / "model.npz")
    for path in (tmp_path / "model.npz", tmp_path / "missing.npz", PROGRAM, tmp_path):
        assert str(path) in complaint(run_here(program, capsys, "--model", str(path)))


def test_a_training_that_failed_is_not_reported_as_if_it_were_well(
    program: ModuleType, names: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_names(tmp_path, names)
    arguments = ["--names", str(tmp_path / "names.txt"), "--out", str(tmp_path / "out"), *OPTIONS]
    outcome = run_here(program, capsys, *arguments, "--lr", "1000")
    assert outcome.errors == "train_names.py: the training failed: guessing gives a loss of 3.2958; try --lr 0.3\n"
    assert printed("train loss", outcome.output) > np.log(27)


def test_names_with_capital_letters(
    program: ModuleType, names: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_names(tmp_path, [name.title() for name in names])
    arguments = ["--names", str(tmp_path / "names.txt"), "--out", str(tmp_path / "out"), *OPTIONS]
    assert complaint(run_here(program, capsys, *arguments)).endswith("--lower makes names lower case")
    assert run_here(program, capsys, *arguments, "--lower").code == 0
    write_names(tmp_path, ["änna", *names])
    assert complaint(run_here(program, capsys, *arguments)).endswith("--alphabet can name it")
