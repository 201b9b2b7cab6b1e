"use strict";
// One value under the pointer: its window in the layer before, the kernel, and the sum.

const MOST_PARTS = 8;
const MOST_TERMS = 16;

class Inspector {
  constructor() {
    this.panel = document.getElementById("value");
    this.frames = [];
    this.shown = null; // layer and place
    this.kept = null;
  }

  show(layer, place, isKept) {
    this.shown = { layer, place };
    if (isKept) this.kept = this.shown;
    this.update();
  }

  leave() {
    this.shown = this.kept;
    this.update();
  }

  update() {
    for (const frame of this.frames) frame.remove();
    this.frames = [];
    if (!this.shown) return;
    const { layer, place } = this.shown;
    const { net, image, outputs } = layer.view;
    const found = trace(net, image, outputs, layer.n, place);
    this.panel.replaceChildren(...this.describe(layer, place, found));
    this.addFrame(...layer.frameOf(place));
    this.frameWindow(layer, place);
  }

  describe(layer, place, found) {
    const where = layer.isDense
      ? `unit ${place[0]}`
      : `channel ${place[0]}, row ${place[1]}, column ${place[2]}`;
    const isSilent = layer.view.silenced.get(layer.layer.name).has(place[0]);
    const lines = [
      element("p", { text: `${layer.view.net.name} · ${layer.layer.name}: ${where}` }),
      element("p", { className: "total", text: sumOf(found) }),
      element("p", { className: "hint", text: isSilent ? "silenced: set to 0 instead" : found.words }),
      found.terms ? termTable(found.terms) : null,
      ...(found.terms ? [] : partTables(found.parts)),
    ];
    return lines.filter(Boolean);
  }

  /** Frame the window that the value sees, in each map of the layer before that it reads. */
  frameWindow(layer, place) {
    const { kind, stride, padding, inputShape } = layer.layer;
    const isWindow = kind === "conv" || kind === "pool";
    if (!isWindow && kind !== "activation" && kind !== "norm") return;
    const before = layer.view.layers.slice(0, layer.n).findLast((one) => one);
    if (place.length === 1) return void (before && this.addFrame(...before.frameOf(place)));
    const [height, width] = isWindow ? windowSides(layer.layer) : [1, 1];
    const box = isWindow
      ? [place[2] * stride - padding, place[1] * stride - padding, width, height]
      : [place[2], place[1], 1, 1];
    const canvases = before ? before.canvases : [document.getElementById("drawing")];
    const read = kind === "conv" ? canvases : [canvases[place[0]]];
    for (const canvas of read) this.addFrame(canvas, clipped(box, inputShape[2], inputShape[1]));
  }

  addFrame(canvas, box) {
    const frame = element("div", { className: "frame" });
    canvas.parentElement.append(frame);
    placeFrame(frame, box, canvas.width, canvas.height, canvas);
    this.frames.push(frame);
  }
}

/** Lay a frame over columns and rows of a canvas; all in the canvas's own pixels. */
function placeFrame(frame, [x, y, width, height], columns, rows, canvas = frame.parentElement) {
  const [across, down] = [canvas.clientWidth / columns, canvas.clientHeight / rows];
  frame.style.left = `${x * across}px`;
  frame.style.top = `${y * down}px`;
  frame.style.width = `${Math.max(width * across, 4)}px`;
  frame.style.height = `${Math.max(height * down, 4)}px`;
}

function clipped([x, y, width, height], columns, rows) {
  const [left, top] = [Math.max(0, x), Math.max(0, y)];
  return [left, top, Math.min(columns, x + width) - left, Math.min(rows, y + height) - top];
}

/** The channels with the largest sums as tables: value above weight. */
function partTables(parts) {
  if (!parts[0].cells) return [];
  const [shown, rest] = largest(parts, MOST_PARTS);
  const nodes = shown.flatMap(({ name, cells, sum }) => {
    const table = element("table", { className: "sum" });
    for (const row of cells) {
      const line = table.insertRow();
      for (const cell of row) {
        const box = line.insertCell();
        if (cell.at < 0) box.className = "outside";
        box.append(cell.at < 0 && !cell.value ? "·" : format(cell.value));
        if (cell.weight !== undefined) box.append(element("span", { className: "weight", text: `× ${format(cell.weight)}` }));
      }
    }
    const scroll = element("div", { className: "scroll" });
    scroll.append(table);
    return [element("p", { className: "hint", text: `${name}: ${format(sum)}` }), scroll];
  });
  return rest.length ? [...nodes, element("p", { className: "hint", text: restOf(rest, "channels") })] : nodes;
}

function termTable(terms) {
  const [shown, rest] = largest(terms, MOST_TERMS);
  const table = element("table", { className: "sum" });
  for (const { name, value, weight, sum } of shown) {
    const line = table.insertRow();
    const cells = [name, format(value), `× ${format(weight)}`, `= ${format(sum)}`];
    cells.forEach((text, n) => line.append(element("td", { text, className: n ? "" : "name" })));
  }
  if (rest.length) {
    const line = table.insertRow();
    line.append(element("td", { text: restOf(rest, "inputs"), colSpan: 4, className: "name" }));
  }
  return table;
}

/** Those with the largest sums, and the others. */
function largest(parts, most) {
  const order = [...parts].sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
  return [order.slice(0, most), order.slice(most)];
}

function restOf(parts, what) {
  return `the other ${parts.length} ${what}: ${format(parts.reduce((sum, part) => sum + part.sum, 0))}`;
}

function sumOf({ parts, bias, total }) {
  const sum = format(parts.reduce((all, part) => all + part.sum, 0));
  return bias ? `${sum} + bias ${format(bias)} = ${format(total)}` : `= ${format(total)}`;
}
