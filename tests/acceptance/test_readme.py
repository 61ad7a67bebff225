"""What README and guides tell people to type works as it stands, and what they name exists."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands, load_command_class
from django.core.management.base import CommandParser
from terminal import environment

from loadlab.__main__ import in_full
from runs.cli.exits import ExitCode

CHECKOUT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", "docs/quickstart.md", "docs/operations.md"]
PROSE = [*PAGES, "docs/architecture.md", "CONTRIBUTING.md"]
NOT_EXECUTED = "# not executed"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"\bloadlab ([a-z_]+)((?: (?:[^`|>&;\n\\]|\\\n)*)?)")
PATIENCE_S = 240

pytestmark = pytest.mark.timeout(300)


def read(page: str) -> str:
    return (CHECKOUT / page).read_text()


def fences(page: str, language: str) -> list[str]:
    return [text for kind, text in FENCE.findall(read(page)) if kind == language]


def code_of(page: str) -> str:
    """Everything on the page that is set as code."""
    text = read(page)
    return "\n".join([*fences(page, "bash"), *re.findall(r"`([^`\n]+)`", FENCE.sub("", text))])


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_work_in_their_order(page: str, tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(sys.prefix)
    for text in fences(page, "python"):
        named = re.match(r"# (\w+\.py)\n", text)
        if named:
            (tmp_path / named[1]).write_text(text)
    scripts = [
        # why 99 too: beside other tests a machine may well be slower the second time
        text.replace("> results.json\n", "> results.json || test $? -eq 99\n")
        for text in fences(page, "bash")
        if NOT_EXECUTED not in text and "curl" not in text
    ]
    assert scripts
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(scripts)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if (gated := tmp_path / "results.json").exists():
        limits = json.loads(gated.read_text())["summary"]["thresholds"]
        assert {each["expression"] for each in limits if not each["passed"]} <= {
            "verdict!=regressed"
        }


def parser_of(command: str) -> CommandParser:
    parser = load_command_class(get_commands()[command], command).create_parser("loadlab", command)
    assert isinstance(parser, CommandParser)
    return parser


def options_of(name: str) -> set[str]:
    """The options of `loadlab NAME`; KeyError where there is no such command."""
    words = in_full(["loadlab", name], known=get_commands())[1:]
    parser: Any = parser_of(words[0])
    for word in words[1:]:
        parser = parser._subparsers._group_actions[0].choices[word]
    return {option for action in parser._actions for option in action.option_strings}


@pytest.mark.parametrize("page", PROSE)
def test_every_command_and_option_that_is_named_exists(page: str) -> None:
    text = code_of(page).replace("loadlab load_test ", "loadlab ")  # the long form of the same
    for name, arguments in COMMAND.findall(text):
        options = options_of(name)
        for option in re.findall(r"(?<=\s)--[a-z-]+", arguments):
            assert option in options, f"{page}: loadlab {name} {option}"


@pytest.mark.parametrize("page", PROSE)
def test_every_make_target_that_is_named_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", read("Makefile"), re.MULTILINE))
    named = re.findall(r"(?:^|\n)make ([a-z-]+)", code_of(page))
    assert set(named) <= targets


@pytest.mark.parametrize(
    "page", [*PROSE, "docs/glossary.md", "docs/method.md", "docs/api.md", "CHANGELOG.md"]
)
def test_every_link_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", read(page)):
        if "://" not in target:
            assert ((CHECKOUT / page).parent / target).exists(), target


def test_every_service_that_is_named_exists() -> None:
    services = yaml.safe_load(read("docker-compose.yml"))["services"]
    text = code_of("README.md")
    named = re.findall(r"docker compose (?:exec (?:-T )?|logs -f )([a-z-]+)", text)
    named += re.findall(r"--scale ([a-z-]+)=", text)
    assert {"web", "worker-load-test"} <= set(named) <= set(services)


def test_every_setting_of_the_table_is_one() -> None:
    known = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", read(".env.example"), re.MULTILINE))
    table = re.search(r"^\| variable .*?\n\n", read("README.md"), re.MULTILINE | re.DOTALL)
    assert table is not None
    for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", table[0]):
        assert name in known, name
    for suffix in re.findall(r"`…(_[A-Z_]+)`", table[0]):
        assert any(name.endswith(suffix) for name in known), suffix


def test_every_exit_code_is_told() -> None:
    told = re.findall(r"^\| (\d+) \| ", read("README.md"), re.MULTILINE)
    assert [int(code) for code in told] == sorted(code.value for code in ExitCode)


def test_the_report_shown_fits_a_terminal() -> None:
    (shown,) = fences("README.md", "text")
    lines = shown.splitlines()
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 80
    assert re.search(r"^lt_\d{8}T\d{6}_[0-9a-f]{6}  io_simulation on load_test", lines[-1])
