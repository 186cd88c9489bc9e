// Moves and zooms a picture that is larger than its frame in a notebook. At first, its text can be read.

const READABLE = 1.1; // pixels for a point

const svg = document.querySelector("svg");
const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
const view = { x: 0, y: 0, scale: 1 };

function place() {
  const frame = svg.getBoundingClientRect();
  svg.setAttribute("viewBox", `${view.x} ${view.y} ${frame.width / view.scale} ${frame.height / view.scale}`);
}

function fit(least) {
  const frame = svg.getBoundingClientRect();
  view.scale = Math.max(least, Math.min(frame.width / width, frame.height / height));
  view.x = Math.min(0, (width - frame.width / view.scale) / 2);
  view.y = (height - frame.height / view.scale) / 2;
  place();
}

// Shows the leftmost box, halfway down.
function start() {
  fit(READABLE);
  const boxes = [...svg.querySelectorAll(".node")].map((box) => box.getBoundingClientRect());
  const first = boxes.reduce((a, b) => (b.left < a.left ? b : a));
  const frame = svg.getBoundingClientRect();
  if (height * view.scale > frame.height) view.y += (first.top + first.height / 2 - frame.height / 2) / view.scale;
  place();
}

function zoom(event) {
  if (!event.ctrlKey) return; // without it, the wheel scrolls the notebook
  event.preventDefault();
  const scale = Math.min(8, Math.max(0.02, view.scale * (event.deltaY < 0 ? 1.15 : 1 / 1.15)));
  view.x += event.clientX / view.scale - event.clientX / scale;
  view.y += event.clientY / view.scale - event.clientY / scale;
  view.scale = scale;
  place();
}

function drag(event) {
  if (event.buttons !== 1) return;
  svg.setPointerCapture(event.pointerId);
  view.x -= event.movementX / view.scale;
  view.y -= event.movementY / view.scale;
  place();
}

svg.addEventListener("wheel", zoom);
svg.addEventListener("pointermove", drag);
svg.addEventListener("dblclick", () => fit(0));
addEventListener("resize", place);
start();
