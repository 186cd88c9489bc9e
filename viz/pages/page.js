// Shows the data of a page (see model.py): the graph, the steps through both passes, and the questions.
// The numbers are the engine's. Nothing is computed here but colours and places on the screen.

const data = JSON.parse(find("#data").textContent);
const { nodes, steps, arrays, views } = data;

const SVG = "http://www.w3.org/2000/svg";
const [BLUE, ORANGE] = ["0, 114, 178", "230, 120, 0"]; // below and above zero, as in the pictures
const READABLE = 0.9; // scale below which the text of a box is too small
const [LINE, MARGIN, MAP_WIDTH, MAP_HEIGHT] = [14, 8, 62, 40]; // pixels in a box, as in boxes.py
const PRINTED = { rows: 8, columns: 6, cells: 24 }; // larger arrays are shown in colours
const SMALLEST = 0.65; // of the usual size: a formula
const PAUSE = 1400; // milliseconds between steps while playing

// When each node has its data, and when its gradient changes: pairs of a step and an array.
const born = nodes.map(() => 0);
const gradients = nodes.map(() => []);
steps.forEach((step, at) => {
  if (step.kind === "forward") born[step.node] = at;
  for (const [node, array] of step.grads ?? []) gradients[node].push([at, array]);
});
const turn = steps.findIndex((step) => step.kind === "seed"); // the first step of the backward pass

let now = -1; // the step that is shown
let drawn; // the view that is shown, with its elements
let timer; // while playing
let asked = null; // the step that a question is about
const answered = new Map(); // by step, whether the first answer was right

function find(selector) {
  return document.querySelector(selector);
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, attributes);
  made.append(...children);
  return made;
}

function shape(name, attributes = {}, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

// Numbers and colours

// Prints a number as `number` in text.py does, but a whole number in full.
function short(x) {
  if (typeof x === "string") return x;
  const size = Math.abs(x);
  if (Number.isInteger(x) && size < 1e15) return String(x);
  if (size >= 1 && size < 1e4) return String(Number(x.toFixed(4)));
  const rounded = Number(x.toPrecision(4));
  return (size >= 1e-4 && size < 1 ? String(rounded) : rounded.toExponential()).replace("e+", "e");
}

function colour(x, most) {
  if (typeof x === "string") return "#888";
  return `rgba(${x < 0 ? BLUE : ORANGE}, ${most ? Math.abs(x) / most : 0})`;
}

function heatMap(array) {
  const canvas = element("canvas", { width: array.columns, height: array.rows });
  const brush = canvas.getContext("2d");
  array.cells.forEach((x, i) => {
    brush.fillStyle = colour(x, array.most);
    brush.fillRect(i % array.columns, Math.floor(i / array.columns), 1, 1);
  });
  return canvas.toDataURL();
}

function indexOf(array, cell) {
  let rest = Math.floor(cell / array.columns);
  const index = array.shape.length ? [cell % array.columns] : [];
  for (const size of array.shape.slice(0, -1).reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return `[${index.join(", ")}]`;
}

// The graph

function draw(view) {
  const graph = find("#graph");
  const home = new Map(); // the box of each node
  const head = "M0,0L8,3L0,6z";
  graph.replaceChildren(shape("defs"));
  for (const [id, refX] of [
    ["end", 1],
    ["lit-end", 1],
    ["lit-start", 7],
  ]) {
    const marker = {
      id,
      refX,
      refY: 3,
      markerWidth: 8,
      markerHeight: 6,
      orient: "auto-start-reverse",
      markerUnits: "userSpaceOnUse",
    };
    graph.firstChild.append(shape("marker", marker));
    graph.firstChild.lastChild.append(shape("path", { d: head }));
  }
  for (const frame of view.frames) {
    const group = shape("g", { class: "frame" });
    group.append(shape("rect", { x: frame.x, y: frame.y, width: frame.w, height: frame.h, rx: 6 }));
    group.append(shape("text", { x: frame.x + MARGIN, y: frame.y + 16 }, frame.title));
    graph.append(group);
  }
  const edges = view.edges.map((edge) => {
    const path = shape("path", { class: "edge", d: edge.d });
    graph.append(path);
    return { ...edge, path };
  });
  const boxes = view.boxes.map((box, place) => {
    for (const node of box.nodes) home.set(node, place);
    return { ...box, ...drawBox(graph, box) };
  });
  drawn = { view, boxes, edges, home, x: 0, y: 0, scale: 1 };
  find("#note").textContent = view.note;
  fit(READABLE);
  const left = Math.min(...boxes.map((box) => box.x));
  follow(boxes.filter((box) => box.x === left).slice(0, 1));
}

// Whether a word of a box stands for a number, which is there only from some step on.
function isNumber(word) {
  return /^(data|grad) /.test(word);
}

function drawBox(graph, box) {
  const result = nodes[box.nodes.at(-1)];
  const words = box.folded ?? result.words;
  const hasRoot = box.nodes.some((node) => nodes[node].role === "root");
  const role = box.folded && !hasRoot ? "module" : hasRoot ? "root" : result.role;
  const group = shape("g", { class: `box ${role}`, transform: `translate(${box.x},${box.y})` });
  group.append(shape("rect", { width: box.w, height: box.h, rx: 5 }));
  group.append(shape("title", {}, words[0]));
  const rows = words.map((word, i) => {
    const row = shape(
      "text",
      { x: MARGIN, y: MARGIN + 11 + i * LINE, class: i ? "faint" : "title" },
      i && isNumber(word) ? "" : word,
    );
    group.append(row);
    return row;
  });
  const computed = box.nodes.map((node) => born[node]).filter((step) => step > 0);
  const parts = { group, state: "", starts: computed.length ? Math.min(...computed) : 0 };
  if (words.at(-1) === "") {
    const top = MARGIN + (words.length - 1) * LINE;
    parts.maps = ["data", "grad"].map((word, i) => {
      const x = MARGIN + i * (MAP_WIDTH + MARGIN);
      const size = { x, y: top, width: MAP_WIDTH, height: MAP_HEIGHT };
      const ground = shape("rect", { ...size, class: "ground" }); // on the colour of a box, colours would look different
      const image = shape("image", { ...size, preserveAspectRatio: "none" });
      group.append(ground, image, shape("text", { x, y: top + MAP_HEIGHT + 11, class: `faint ${word}` }));
      return { ground, image, label: group.lastChild };
    });
  } else {
    parts.rows = rows.slice(-2);
    parts.rows[0].classList.add("data");
  }
  group.setAttribute("role", "button");
  group.setAttribute("aria-label", words.filter((word) => word && !isNumber(word)).join(", "));
  group.addEventListener("click", () => show(box));
  group.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation(); // a space would play
    show(box);
  });
  graph.append(group);
  return parts;
}

function latest(node, at) {
  return gradients[node].findLast(([step]) => step <= at)?.[1];
}

// Brings a box to a step. Most steps change few boxes, so nothing is touched that stays as it is.
function refresh(box, at, lit) {
  const result = box.nodes.at(-1); // of a folded module, what it returns
  const waiting = box.starts > at;
  const values = [born[result] > at ? undefined : nodes[result].data, latest(result, at)];
  const state = `${waiting} ${values} ${lit}`;
  if (state === box.state) return;
  box.state = state;
  box.group.classList.toggle("waiting", waiting);
  box.group.classList.toggle("lit", lit === "lit");
  box.group.classList.toggle("operand", lit === "operand");
  lit ? box.group.setAttribute("tabindex", 0) : box.group.removeAttribute("tabindex"); // not hundreds of tab stops
  ["data", "grad"].forEach((word, i) => {
    const array = arrays[values[i]];
    if (box.maps) {
      const { ground, image, label } = box.maps[i];
      array ? image.setAttribute("href", imageOf(array)) : image.removeAttribute("href");
      ground.setAttribute("visibility", array ? "visible" : "hidden");
      label.textContent = array ? word : "";
    } else {
      box.rows[i].textContent = array ? `${word} ${short(array.cells[0])}` : "";
    }
  });
}

function imageOf(array) {
  array.image ??= heatMap(array);
  return array.image;
}

function place() {
  const { width, height } = find("#graph").getBoundingClientRect();
  const { x, y, scale } = drawn;
  const box = `${x} ${y} ${width / scale} ${height / scale}`;
  if (find("#graph").getAttribute("viewBox") !== box) find("#graph").setAttribute("viewBox", box);
}

function fit(least = 0) {
  const { width, height } = find("#graph").getBoundingClientRect();
  const { view } = drawn;
  drawn.scale = Math.max(least, Math.min(1.6, width / view.width, height / view.height));
  drawn.x = Math.min(0, (view.width - width / drawn.scale) / 2);
  drawn.y = (view.height - height / drawn.scale) / 2;
  place();
}

function zoom(factor, clientX, clientY) {
  const frame = find("#graph").getBoundingClientRect();
  const [x, y] = [(clientX ?? frame.x + frame.width / 2) - frame.x, (clientY ?? frame.y + frame.height / 2) - frame.y];
  const scale = Math.min(8, Math.max(0.02, drawn.scale * factor));
  drawn.x += x / drawn.scale - x / scale;
  drawn.y += y / drawn.scale - y / scale;
  drawn.scale = scale;
  place();
}

// Moves the graph if the lit boxes are not on the screen.
function follow(lit) {
  if (!lit.length) return;
  const { width, height } = find("#graph").getBoundingClientRect();
  for (const [axis, size, screen] of [
    ["x", "w", width],
    ["y", "h", height],
  ]) {
    const [from, to] = [Math.min(...lit.map((box) => box[axis])), Math.max(...lit.map((box) => box[axis] + box[size]))];
    const room = screen / drawn.scale;
    const [start, end] = to - from > room ? [lit[0][axis], lit[0][axis] + lit[0][size]] : [from, to];
    if (start < drawn[axis] || end > drawn[axis] + room) drawn[axis] = (start + end - room) / 2;
  }
  place();
}

// A step

function go(at, { ask = false } = {}) {
  at = Math.max(0, Math.min(steps.length - 1, at));
  if (ask && find("#predict").checked && steps[at].ask && asked !== at && !answered.has(at)) return question(at);
  asked = null;
  find("#ask").hidden = true;
  if (at === now) return;
  now = at;
  const step = steps[now];
  const isBackward = turn >= 0 && now >= turn;
  document.body.className = isBackward ? "backward" : "forward";
  light(step);
  find("#say").textContent = step.say;
  write("#rule", step.math);
  write("#numbers", step.numbers);
  showMaps(step.maps ?? []);
  const source = step.operand ?? step.node;
  lightLines("#program", [nodes[step.node]?.line]);
  lightLines(
    "#derived",
    (isBackward ? nodes[source]?.backward : nodes[source]?.forward)?.map((line) => line - 1),
  );
  find("#scrubber").value = now;
  find("#link").textContent = `${now} of ${steps.length - 1}`;
  find("#link").href = `#step=${now}`;
  try {
    history.replaceState(null, "", `#step=${now}`);
  } catch {} // within a notebook, a page has no address
}

// Writes a formula, smaller if it is wider than its place.
function write(selector, formula = "") {
  const place = find(selector);
  place.innerHTML = formula;
  place.style.fontSize = "";
  const share = place.clientWidth / place.scrollWidth;
  if (share < 1) place.style.fontSize = `${Math.max(SMALLEST, share * 0.98)}em`;
}

function light(step) {
  const operands = (step.kind === "forward" ? step.operands : [step.operand]) ?? [];
  const [target, ...sources] = [step.node, ...operands].map((node) => drawn.home.get(node));
  const role = new Map([...sources.map((source) => [source, "operand"]), [target, "lit"]]);
  for (const [i, box] of drawn.boxes.entries()) refresh(box, now, role.get(i) ?? "");
  const edges = drawn.edges.filter((edge) => edge.to === target && sources.includes(edge.from));
  drawn.lit = relight(
    drawn.lit,
    edges.map((edge) => edge.path),
  );
  follow([target, ...sources].filter((i) => i !== undefined).map((i) => drawn.boxes[i]));
}

// Moves the class "lit" from some elements to others, and returns these.
function relight(before, after) {
  for (const each of before ?? []) each.classList.remove("lit");
  for (const each of after) each.classList.add("lit");
  return after;
}

function lightLines(selector, lines = []) {
  const pre = find(`${selector} pre`);
  if (!pre) return;
  const lit = lines.filter((line) => line !== undefined && line !== null).map((line) => pre.children[line]);
  pre.lit = relight(pre.lit, lit);
  if (lit.length) pre.scrollTop = lit[0].offsetTop - pre.offsetTop - pre.clientHeight / 3;
}

// Maps of arrays: numbers if there are few, else colours. Pointing at a cell says its number and where it came from.

function show(box) {
  const result = box.nodes.at(-1);
  const { name, data } = nodes[result];
  const maps = [{ label: name, array: born[result] <= now ? data : null }];
  maps.push({ label: `gradient of ${name}`, array: latest(result, now) });
  showMaps(maps.filter((map) => map.array !== null && map.array !== undefined));
}

function showMaps(maps) {
  find("#cell").textContent = "";
  const figures = maps.map((map) => mapOf(arrays[map.array], map.label));
  find("#maps").replaceChildren(...figures);
  figures.forEach((figure, i) => {
    const grid = figure.querySelector(".cells");
    const { columns, cells } = arrays[maps[i].array];
    const moves = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    let at = 0;
    const choose = (cell) => {
      if (cell < 0 || cell >= cells.length) return;
      at = cell;
      point(maps, figures, i, at);
    };
    grid.addEventListener("pointerover", (event) => choose([...grid.children].indexOf(event.target)));
    grid.addEventListener("pointerleave", () => mark(figures, []));
    grid.addEventListener("focus", () => choose(at));
    grid.addEventListener("blur", () => mark(figures, []));
    grid.addEventListener("keydown", (event) => {
      if (!moves[event.key]) return;
      event.preventDefault();
      event.stopPropagation(); // elsewhere, these keys change the step
      choose(at + moves[event.key]);
    });
  });
}

function mapOf(array, label) {
  const { rows, columns, cells: count } = array;
  const printed = rows <= PRINTED.rows && columns <= PRINTED.columns && count.length <= PRINTED.cells;
  const cells = array.cells.map((x) => {
    const cell = element("i", {}, printed ? short(x) : "");
    cell.style.background = colour(x, printed ? 2 * array.most : array.most);
    return cell;
  });
  const grid = element("div", { className: printed ? "cells printed" : "cells" }, ...cells);
  grid.style.gridTemplateColumns = `repeat(${array.columns}, auto)`;
  grid.tabIndex = 0;
  grid.setAttribute("role", "group");
  grid.setAttribute("aria-label", `${label}, ${array.shape.join(" by ") || "a number"}; the arrow keys read its cells`);
  const cut = array.rows < array.all[0] || array.columns < array.all[1];
  const part = cut ? `, first ${array.rows}×${array.columns}` : "";
  const caption = element("figcaption", {}, element("b", {}, label), array.shape.join("×") + part);
  return element("figure", { className: "map" }, caption, grid);
}

function point(maps, figures, i, cell) {
  const array = arrays[maps[i].array];
  const links = (maps[i].sources ?? []).map((link) => link?.sets[link.of[cell]] ?? []);
  mark(figures, links);
  figures[i].querySelector(".cells").children[cell].classList.add("at");
  const from = links.flatMap((cells, k) =>
    cells.length ? `${cells.length} of ${maps[k + i - links.length].label}` : [],
  );
  const came = from.length ? `, from ${from.join(" and ")}` : "";
  find("#cell").textContent =
    `${maps[i].label}${array.shape.length ? indexOf(array, cell) : ""} = ${array.cells[cell]}${came}`;
}

function mark(figures, links) {
  figures.forEach((figure, k) => {
    const cells = figure.querySelector(".cells").children;
    for (const [place, cell] of [...cells].entries()) {
      cell.classList.remove("at");
      cell.classList.toggle("from", links[k]?.includes(place) ?? false);
    }
  });
}

// Questions

function question(at) {
  asked = at;
  stop();
  const { ask } = steps[at];
  const choices = (ask.options ?? []).map((option) => {
    const button = element("button", { type: "button" });
    button.innerHTML = option.math;
    button.addEventListener("click", () => mark_answer(!option.reply, option.reply));
    return button;
  });
  const typed = element("input", {
    type: "text",
    autocomplete: "off",
    placeholder: ask.kind === "shape" ? "such as 4×3" : "a number",
  });
  typed.setAttribute("aria-labelledby", "question");
  const given = ask.options ? choices : [typed, element("button", { type: "submit" }, "Check")];
  const skip = element("button", { type: "button" }, "Show me");
  skip.addEventListener("click", () => {
    answered.set(at, answered.get(at) ?? false);
    go(at);
    score();
  });
  find("#question").textContent = ask.text;
  find("#answers").replaceChildren(...given, skip);
  find("#reply").textContent = "";
  find("#ask").hidden = false;
  given[0].focus();
}

function check(event) {
  event.preventDefault();
  const { ask } = steps[asked];
  const text = find("#answers input").value.trim();
  if (ask.kind === "shape") {
    if (!/^(scalar|[\d\s×x*,()[\]]+)$/i.test(text)) return reply("wrong", "Type a shape, such as 4×3 or scalar.");
    const sizes = text.match(/\d+/g)?.join("×") ?? "scalar";
    return mark_answer(sizes === ask.right, ask.wrong[sizes] ?? `the shape is ${sizes} instead of ${ask.right}`);
  }
  const number = Number(text.replace("−", "-"));
  if (!text || Number.isNaN(number)) return reply("wrong", "Type a number, such as -0.5.");
  const isClose = (x) => Math.abs(number - x) <= 1e-3 * Math.abs(x) + 1e-9 || text === short(x);
  const mistake = Object.entries(ask.wrong).find(([x]) => isClose(Number(x)));
  return mark_answer(isClose(ask.right), mistake?.[1] ?? `it is ${text} instead of ${short(ask.right)}`);
}

function mark_answer(isRight, note) {
  const at = asked;
  if (!answered.has(at)) answered.set(at, isRight);
  score();
  if (!isRight) return reply("wrong", `Wrong: ${note}.`);
  go(at);
  find("#ask").hidden = false;
  find("#answers").replaceChildren();
  return reply("right", "Right.");
}

function reply(kind, text) {
  find("#reply").className = kind;
  find("#reply").textContent = text;
}

function score() {
  const right = [...answered.values()].filter(Boolean).length;
  find("#score").textContent = answered.size ? `${right} of ${answered.size} right` : "";
}

// Controls

function stop() {
  clearInterval(timer);
  timer = undefined;
  find("#play").textContent = "▶ play";
}

function play() {
  if (timer) return stop();
  if (now === steps.length - 1) go(0);
  find("#play").textContent = "❚❚ stop";
  timer = setInterval(() => (now < steps.length - 1 ? forward() : stop()), PAUSE);
}

const forward = () => go(now + 1, { ask: true });
const KEYS = {
  ArrowRight: forward,
  ArrowLeft: () => go(now - 1),
  Home: () => go(0),
  End: () => go(steps.length - 1),
  " ": play,
  "+": () => zoom(1.25),
  "-": () => zoom(0.8),
  0: () => fit(),
};

function press(event) {
  const isTyping = event.target.matches?.("input[type=text], select, pre");
  const isButton = event.target.matches?.("button, a, input[type=checkbox]") && event.key === " ";
  if (isTyping || isButton || event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  if (event.key !== " ") stop();
  KEYS[event.key]();
}

function drag(event) {
  const graph = find("#graph");
  if (event.buttons !== 1) return;
  graph.setPointerCapture(event.pointerId);
  drawn.x -= event.movementX / drawn.scale;
  drawn.y -= event.movementY / drawn.scale;
  place();
}

function stepOfAddress() {
  return Number(location.hash.match(/^#step=(\d+)$/)?.[1] ?? 0);
}

function start() {
  for (const [name, lines] of [
    ["program", data.program.map(({ text }) => text)],
    ["derived", data.derived],
  ]) {
    if (!lines.length) find(`#${name} pre`).replaceWith(find(`#${name} template`).content);
    else find(`#${name} pre`).append(...lines.map((line) => element("span", {}, line || " ")));
  }
  views.forEach((view, i) => {
    find("#view").append(
      element(
        "option",
        { value: i },
        `${view.boxes.some((box) => box.folded) ? "folded" : "open"}: ${view.items} boxes`,
      ),
    );
  });
  find("#folding").hidden = views.length < 2;
  find("#scrubber").max = steps.length - 1;
  const share = turn < 0 ? 100 : (100 * turn) / (steps.length - 1);
  find("#passes").style.background = `linear-gradient(to right, var(--forward) ${share}%, var(--backward) ${share}%)`;
  const clicks = {
    first: KEYS.Home,
    back: KEYS.ArrowLeft,
    next: forward,
    last: KEYS.End,
    play,
    in: KEYS["+"],
    out: KEYS["-"],
    fit: KEYS[0],
  };
  for (const [id, action] of Object.entries(clicks)) find(`#${id}`).addEventListener("click", action);
  find("#scrubber").addEventListener("input", (event) => go(Number(event.target.value)));
  find("#ask").addEventListener("submit", check);
  find("#view").addEventListener("change", (event) => {
    draw(views[event.target.value]);
    light(steps[now]);
  });
  find("#graph").addEventListener("pointermove", drag);
  find("#graph").addEventListener("wheel", (event) => {
    if (!event.ctrlKey && window !== window.top) return; // in a notebook, the wheel scrolls the notebook
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, event.clientX, event.clientY);
  });
  addEventListener("keydown", press);
  addEventListener("hashchange", () => go(stepOfAddress()));
  addEventListener("resize", place);
  find("#view").value = Math.max(
    0,
    views.findLastIndex((view) => view.items <= 60),
  );
  draw(views[find("#view").value]);
  go(stepOfAddress());
}

start();
