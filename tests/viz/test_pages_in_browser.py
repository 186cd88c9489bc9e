"""viz.page in a real browser: keys, links, numbers, questions, and that the page asks for nothing from the network."""

import json
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import minigrad
import viz
from minigrad import Value, nn
from tests.support import browser as support
from viz import text

pytestmark = pytest.mark.skipif(bool(support.MISSING), reason=support.MISSING)
if not support.MISSING:
    pytest.importorskip("selenium")
    from selenium.webdriver import ActionChains, Keys
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with support.chromium(str(tmp_path_factory.mktemp("profile"))) as browser:
        yield browser


class Opened:
    """A page in the browser."""

    def __init__(self, driver: Any, page: viz.Page, path: pathlib.Path, address: str = "") -> None:
        self.driver, self.page = driver, page
        page.save(path)
        driver.get("about:blank")
        driver.get_log("browser"), driver.get_log("performance")
        driver.get(path.as_uri() + address)

    def find(self, selector: str) -> Any:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return str(self.driver.execute_script("return document.querySelector(arguments[0]).textContent", selector))

    def press(self, *keys: str) -> None:
        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def answer(self, text: str) -> None:
        typed = self.find("#answers input")
        typed.clear()
        typed.send_keys(text, Keys.ENTER)

    @property
    def step(self) -> int:
        return int(re.match(r"\d+", self.text("#link"))[0])  # type: ignore[index]

    def point(self, figure: int, cell: int) -> str:
        cells = self.driver.find_elements(By.CSS_SELECTOR, f"#maps figure:nth-child({figure + 1}) i")
        ActionChains(self.driver, duration=0).move_to_element(cells[cell]).perform()
        return self.text("#cell")


@pytest.fixture
def opened(driver: Any, tmp_path: pathlib.Path) -> Iterator[Any]:
    """Open pages; afterwards, nothing may have been logged as an error or asked of the network."""

    def open(page: viz.Page, address: str = "") -> Opened:
        return Opened(driver, page, tmp_path / "page.html", address)

    yield open
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert driver.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert asked
    assert [url for url in asked if url.startswith(("http", "ws", "ftp"))] == []


def neuron() -> viz.Page:
    x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(6.75, label="b")
    o = (x * w + b).tanh()
    return viz.page(o * x, names={"o": o})


def network() -> tuple[viz.Page, dict[str, Any]]:
    minigrad.manual_seed(1)
    x = minigrad.randn(6, 3)
    W = minigrad.randn(3, 4, requires_grad=True)
    b = minigrad.randn(4, requires_grad=True)
    h = (x @ W + b).tanh()
    loss = (h * h).mean()
    loss.backward(retain_graph=True)
    return viz.page(loss, names=locals()), locals()


def test_keys_reach_every_step_and_each_has_its_sentence(opened: Any) -> None:
    page = opened(neuron())
    steps = page.page.data["steps"]
    gradients = [""] * len(page.page.data["nodes"])
    for at, step in enumerate(steps):
        assert (page.step, page.text("#say")) == (at, step["say"])
        for node, number in step.get("grads", ()):
            gradients[node] = f"grad {text.number(page.page.data['arrays'][number]['cells'][0])}"
        shown = "return [...document.querySelectorAll('.box')].map((b) => b.lastElementChild.textContent)"
        assert page.driver.execute_script(shown) == gradients
        page.press(Keys.ARROW_RIGHT)
    assert page.step == len(steps) - 1
    page.press(Keys.HOME)
    assert page.step == 0
    page.press(Keys.END)
    page.press(Keys.ARROW_LEFT)
    assert page.step == len(steps) - 2


def test_a_link_leads_to_its_step(opened: Any) -> None:
    page = opened(neuron(), "#step=7")
    assert page.step == 7
    assert page.find("#link").get_attribute("href").endswith("#step=7")
    page.driver.execute_script("location.hash = 'step=3'")
    assert page.step == 3
    page.press(Keys.ARROW_RIGHT)
    assert page.driver.current_url.endswith("#step=4")


def test_the_scrubber_and_play_move(opened: Any) -> None:
    page = opened(neuron())
    page.driver.execute_script(
        "const s = arguments[0]; s.value = 9; s.dispatchEvent(new Event('input'))", page.find("#scrubber")
    )
    assert page.step == 9
    page.find("#play").click()
    WebDriverWait(page.driver, 30).until(lambda _: page.step > 9)
    page.find("#play").click()
    assert page.text("#play") == "▶ play"


def test_numbers_are_those_of_the_engine(opened: Any) -> None:
    made, variables = network()
    page = opened(made)
    names = [node["name"] for node in made.data["nodes"]]
    for name in ("W", "b"):
        at = next(i for i, step in enumerate(made.data["steps"]) if step["say"].endswith(f"goes to {name}.grad."))
        page.driver.execute_script(f"location.hash = 'step={at}'")
        gradient = variables[name].grad.array
        for cell, expected in enumerate(gradient.ravel()):
            said = page.point(0, cell)
            assert np.float32(said.partition(" = ")[2]) == expected
            assert said.startswith(f"d{name}{[*np.ndindex(gradient.shape)][cell]}".replace("(", "[").rstrip(",)"))
    assert {"W", "b", "h", "x", "loss"} <= {*names}
    data = float(page.text(".box.root text.data").removeprefix("data "))
    assert data == pytest.approx(variables["loss"].item(), abs=1e-4)


def test_a_cell_points_to_the_cells_that_it_came_from(opened: Any) -> None:
    made, _ = network()
    at = next(i for i, step in enumerate(made.data["steps"]) if step["say"].startswith("matmul passes"))
    page = opened(made, f"#step={at}")
    labels = [figure["label"] for figure in made.data["steps"][at]["maps"]]
    assert page.point(2, 5).endswith(f"from 6 of {labels[0]} and 6 of x")  # dW[1, 1] = sum_i x[i, 1] g[i, 1]
    lit = "return [...document.querySelectorAll('#maps figure:nth-child(%d) i')].flatMap((c, i) => "
    lit += "c.classList.contains('from') ? [i] : [])"
    assert page.driver.execute_script(lit % 1) == [*range(1, 24, 4)]
    assert page.driver.execute_script(lit % 2) == [*range(1, 18, 3)]


def test_keys_read_the_cells_too(opened: Any) -> None:
    made, _ = network()
    at = next(i for i, step in enumerate(made.data["steps"]) if step["say"].startswith("matmul passes"))
    page = opened(made, f"#step={at}")
    name = made.data["steps"][at]["maps"][2]["label"]
    page.driver.execute_script("document.querySelectorAll('.cells')[2].focus()")
    assert page.text("#cell").startswith(f"{name}[0, 0] = ")
    page.press(Keys.ARROW_DOWN, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert page.text("#cell").startswith(f"{name}[1, 1] = ")
    assert page.step == at


def test_keys_open_the_boxes_of_a_step(opened: Any) -> None:
    made = neuron()
    page = opened(made, "#step=2")
    stops = page.driver.find_elements(By.CSS_SELECTOR, ".box[tabindex]")
    step = made.data["steps"][2]
    lit = {step["node"], *step["operands"]}
    labels = [stop.get_attribute("aria-label") for stop in stops]
    assert {*labels} == {made.data["nodes"][node]["words"][0] for node in lit}
    for key in (Keys.ENTER, Keys.SPACE):
        for stop, label in zip(stops, labels, strict=True):
            stop.send_keys(key)
            assert page.text("#maps").startswith(label.split(" → ")[-1])
    assert page.step == 2


def test_cells_have_the_digits_of_the_sentences_and_indices_all_of_theirs(opened: Any) -> None:
    numbers = [0.5, 1.23456789, 2.5e-5, -1.23456e-4, 123456.789, 0.0, 1e-9]
    x = minigrad.tensor(numbers, dtype=minigrad.float64, requires_grad=True)
    table = minigrad.zeros(20000, 1, requires_grad=True)
    ix = minigrad.tensor([12345, 7])
    page = opened(viz.page(x.reshape(7, 1).sum() + table[ix].sum(), names={"x": x, "table": table, "ix": ix}))
    cells = (
        "return [...document.querySelectorAll('.printed')].map((map) => [...map.children].map((c) => c.textContent))"
    )
    page.press(Keys.ARROW_RIGHT)
    assert page.driver.execute_script(cells)[0] == [text.number(x) for x in numbers]
    at = next(i for i, step in enumerate(page.page.data["steps"]) if "table[ix]" in step["say"])
    page.driver.execute_script(f"location.hash = 'step={at}'")
    assert ["12345", "7"] in page.driver.execute_script(cells)


def test_a_view_is_open_only_if_no_box_of_it_is_folded(opened: Any) -> None:
    net = nn.Sequential(*(nn.Sequential(nn.Linear(4, 4), nn.Tanh()) for _ in range(6)))
    for limit, last in ((20, "folded: "), (1000, "open: ")):
        page = opened(viz.page(net(minigrad.ones(2, 4)).sum(), names={"net": net}, limit=limit))
        assert page.find("#view").find_elements(By.CSS_SELECTOR, "option")[-1].text.startswith(last)


def test_a_guess_is_marked_and_a_mistake_explained(opened: Any) -> None:
    page = opened(neuron())
    page.find("#predict").click()
    page.press(Keys.ARROW_RIGHT)
    assert page.step == 0
    assert page.text("#question") == "product = x · w: which number?"
    page.answer("6")
    assert page.text("#reply") == "Wrong: it is 6 instead of -6; a minus is missing, or one too many."
    page.answer("-6")
    assert (page.step, page.text("#reply"), page.text("#score")) == (1, "Right.", "0 of 1 right")
    page.press(Keys.ARROW_RIGHT)
    page.answer("0.75")
    assert (page.step, page.text("#score")) == (2, "1 of 2 right")


def test_of_a_tensor_the_shape_and_the_rule_are_asked(opened: Any) -> None:
    made, _ = network()
    page = opened(made)
    page.find("#predict").click()
    page.press(Keys.ARROW_RIGHT)
    page.answer("four by six")
    assert page.text("#reply") == "Type a shape, such as 4×3 or scalar."
    page.answer("(4, 6)")
    assert page.text("#reply") == "Wrong: the shape is 4×6 instead of 6×4."
    page.answer("6, 4")
    assert page.step == 1
    at = next(i for i, step in enumerate(made.data["steps"]) if step["say"].startswith("matmul passes"))
    page.driver.execute_script(f"location.hash = 'step={at - 1}'")
    page.find("#next").click()
    options = made.data["steps"][at]["ask"]["options"]
    wrong = next(i for i, option in enumerate(options) if "transposed" in option["reply"])
    buttons = page.driver.find_elements(By.CSS_SELECTOR, "#answers button")
    buttons[wrong].click()
    assert "dims 0 and 1 are transposed" in page.text("#reply")
    buttons[next(i for i, option in enumerate(options) if not option["reply"])].click()
    assert page.step == at


def test_modules_fold_and_the_graph_moves(opened: Any) -> None:
    net = minigrad.nn.Sequential(minigrad.nn.Linear(3, 4), minigrad.nn.Tanh(), minigrad.nn.Linear(4, 2))
    page = opened(viz.page(net(minigrad.ones(2, 3)).sum(), names={"net": net}), "#step=3")
    counts = [view["items"] for view in page.page.data["views"]]
    select = page.find("#view")
    for place, count in enumerate(counts):
        page.driver.execute_script(
            f"arguments[0].value = {place}; arguments[0].dispatchEvent(new Event('change'))", select
        )
        assert len(page.driver.find_elements(By.CSS_SELECTOR, ".box")) == count
        assert len(page.driver.find_elements(By.CSS_SELECTOR, ".box.lit")) == 1
    before = page.find("#graph").get_dom_attribute("viewBox")
    page.press("+")
    zoomed = page.find("#graph").get_dom_attribute("viewBox")
    ActionChains(page.driver).drag_and_drop_by_offset(page.find("#graph"), 40, 20).perform()
    assert len({before, zoomed, page.find("#graph").get_dom_attribute("viewBox")}) == 3


def test_dark_mode_and_large_letters_of_every_box_stay_inside(opened: Any) -> None:
    page = opened(neuron())
    colour = "return getComputedStyle(document.body).backgroundColor"
    light = page.driver.execute_script(colour)
    media = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    assert light == "rgb(255, 255, 255)"
    assert sum(map(int, re.findall(r"\d+", page.driver.execute_script(colour)))) < 150
    page.press(Keys.END)
    overflow = """return [...document.querySelectorAll('.box')].filter((box) => {
        const frame = box.querySelector('rect').getBoundingClientRect();
        return [...box.querySelectorAll('text')].some((t) => t.getBoundingClientRect().right > frame.right);
    }).length"""
    assert page.driver.execute_script(overflow) == 0


def test_a_notebook_shows_the_page_in_a_frame(driver: Any, opened: Any, tmp_path: pathlib.Path) -> None:
    made = neuron()
    opened(made)
    (tmp_path / "notebook.html").write_text(f"<!doctype html><body>{made._repr_html_()}</body>", encoding="utf-8")
    driver.get((tmp_path / "notebook.html").as_uri())
    driver.switch_to.frame(0)
    driver.find_element(By.ID, "next").click()
    assert driver.find_element(By.ID, "say").text == made.data["steps"][1]["say"]
    driver.switch_to.default_content()
    assert not driver.find_element(By.CLASS_NAME, "minigrad-untrusted").is_displayed()
    script = "document.querySelectorAll('iframe, style').forEach((x) => x.remove())"  # as in an untrusted notebook
    driver.execute_script(script)
    told = driver.find_element(By.TAG_NAME, "body").text
    assert told == "Run this cell, or trust the notebook, to see what it shows."


def test_a_step_through_many_boxes_changes_only_a_few(opened: Any) -> None:
    values = [Value(i / 7, label=f"a{i}") for i in range(7)]
    total = values[0]
    for i in range(196):
        total = (total * values[i % 7]).tanh() if i % 2 else total + values[i % 7]
    made = viz.page(total)
    turn = next(i for i, step in enumerate(made.data["steps"]) if step["kind"] == "seed")
    page = opened(made, f"#step={turn - 10}")
    assert len(page.driver.find_elements(By.CSS_SELECTOR, ".box")) == 301
    script = """const watcher = new MutationObserver(() => {});
    const everything = {attributes: true, characterData: true, childList: true, subtree: true};
    watcher.observe(document.querySelector('#graph'), everything);
    return Array.from({length: 20}, () => {
      document.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}));
      return new Set(watcher.takeRecords().map((record) => record.target.closest('.box, .edge, svg'))).size;
    })"""
    changed = page.driver.execute_script(script)
    assert page.step == turn + 10
    assert min(changed) > 0
    assert max(changed) <= 10  # the boxes and arrows of this step and of the one before, and the window on the graph
