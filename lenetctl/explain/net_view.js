"use strict";
// One net on the page: its probabilities, and the maps of each layer.

const UNSEEN = new Set(["flatten", "dropout"]); // they only pass on what they get
const LINE = 42; // units of a dense layer that stand side by side

class NetView {
  constructor(net, classes, inspector, changed) {
    Object.assign(this, { net, classes, inspector, changed });
    this.silenced = new Map(net.layers.map((layer) => [layer.name, new Set()]));
    this.followed = null; // the class whose score is followed back to the pixels
    this.root = element("section", { className: "net", ariaLabel: net.name });
    this.epochs = new Epochs(net, classes, () => this.changed(this));
    this.root.append(element("h2", { text: net.name }), this.addClasses(), this.epochs.root);
    this.layers = net.layers.map((layer, n) => (UNSEEN.has(layer.kind) ? null : new LayerView(this, layer, n)));
    for (const layer of this.layers) if (layer) this.root.append(layer.root);
  }

  addClasses() {
    const group = element("fieldset", { className: "classes" });
    group.append(element("legend", { className: "hint", text: "Probabilities. A click follows the score back to the pixels." }));
    this.rows = this.classes.map((name, number) => {
      const row = element("button", { type: "button", ariaPressed: "false", title: name });
      const track = element("span", { className: "track" });
      const bar = element("span", { className: "bar" });
      track.append(bar);
      const label = element("span", { className: "name", text: name });
      const value = element("span", { className: "number" });
      row.append(label, track, value);
      row.addEventListener("click", () => {
        this.followed = this.followed === number ? null : number;
        this.changed(this);
      });
      group.append(row);
      return { row, bar, value };
    });
    return group;
  }

  /** Show what the net makes of an image; return the milliseconds of its forward pass. */
  update(image) {
    this.image = image;
    const started = performance.now();
    this.outputs = forward(this.net, image, this.silenced);
    const time = performance.now() - started;
    const probabilities = softmax(this.outputs.at(-1));
    const most = Math.max(...probabilities);
    this.rows.forEach(({ row, bar, value }, number) => {
      bar.style.width = `${100 * probabilities[number]}%`;
      value.textContent = probabilities[number].toFixed(3);
      row.classList.toggle("likeliest", probabilities[number] === most);
      row.ariaPressed = String(this.followed === number);
    });
    for (const layer of this.layers) layer?.update(this.outputs[layer.n]);
    return time;
  }

  shares() {
    return pixelShares(this.net, this.image, this.outputs, this.silenced, this.followed);
  }

  toggle(layer, channel) {
    const silent = this.silenced.get(layer.name);
    if (!silent.delete(channel)) silent.add(channel);
    this.changed(this);
  }
}

class LayerView {
  constructor(view, layer, n) {
    Object.assign(this, { view, layer, n });
    this.isDense = layer.outputShape.length === 1;
    const [channels, rows, columns] = this.isDense ? [1] : layer.outputShape;
    const units = layer.outputShape[0];
    this.size = this.isDense ? [Math.ceil(units / LINE), Math.min(units, LINE)] : [rows, columns];
    this.at = this.isDense ? [0] : [0, 0, 0]; // the place that keys move
    this.root = element("section", { className: "layer" });
    const heading = element("h3", { text: layer.name });
    this.scale = element("small");
    heading.append(` ${layer.outputShape.join(" × ")} `, this.scale);
    this.maps = element("div", { className: "maps", tabIndex: 0, role: "group" });
    this.maps.ariaLabel = `${layer.name}, ${layer.outputShape.join(" by ")}`;
    this.canvases = Array.from({ length: channels }, (_, channel) => this.addMap(channel));
    this.maps.addEventListener("keydown", (event) => this.onKey(event));
    this.root.append(heading);
    if (layer.kind === "conv" && layer.inputShape[0] === 1) this.root.append(this.addKernels());
    this.root.append(this.maps);
  }

  /** The kernels of a convolution that sees the image: blue below 0, orange above. */
  addKernels() {
    const { kernel, outputShape, name } = this.layer;
    const list = element("div", { className: "maps kernels", role: "img", ariaLabel: `kernels of ${name}` });
    this.kernels = Array.from({ length: outputShape[0] }, () => element("canvas", { width: kernel[1], height: kernel[0] }));
    list.append(...this.kernels);
    return list;
  }

  addMap(channel) {
    const [rows, columns] = this.size;
    const box = element("div", { className: "map" });
    const canvas = element("canvas", { width: columns, height: rows });
    const zoom = this.isDense ? 9 : Math.max(2, Math.round(84 / columns));
    canvas.style.width = `${zoom * columns}px`;
    canvas.style.maxWidth = "100%";
    canvas.style.aspectRatio = `${columns} / ${rows}`;
    const show = (event, isKept) => {
      const place = this.placeOf(event, channel);
      if (place) this.view.inspector.show(this, place, isKept);
    };
    canvas.addEventListener("pointermove", (event) => show(event, false));
    canvas.addEventListener("click", (event) => show(event, true));
    canvas.addEventListener("pointerleave", () => this.view.inspector.leave());
    box.append(canvas);
    if (!this.isDense) {
      const button = element("button", { type: "button", tabIndex: -1, text: channel, ariaPressed: "false" });
      button.title = button.ariaLabel = `silence channel ${channel} of ${this.layer.name}`;
      button.addEventListener("click", () => this.view.toggle(this.layer, channel));
      box.append(button);
    }
    this.maps.append(box);
    return canvas;
  }

  placeOf(event, channel) {
    const box = event.target.getBoundingClientRect();
    const [rows, columns] = this.size;
    const x = Math.min(columns - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * columns)));
    const y = Math.min(rows - 1, Math.max(0, Math.floor(((event.clientY - box.top) / box.height) * rows)));
    if (!this.isDense) return [channel, y, x];
    return y * LINE + x < this.layer.outputShape[0] ? [y * LINE + x] : null;
  }

  update(output) {
    const limits = range(output);
    this.scale.textContent = `${format(limits[0])} to ${format(limits[1])}`;
    const size = output.length / this.canvases.length;
    this.canvases.forEach((canvas, channel) => {
      paintMap(canvas, output.subarray(channel * size, (channel + 1) * size), limits);
    });
    const { weight } = this.layer;
    const largest = this.kernels && largestOf(weight);
    this.kernels?.forEach((canvas, channel) => {
      const each = weight.length / this.kernels.length;
      paintShares(canvas, weight.subarray(channel * each, (channel + 1) * each), largest);
    });
    const silent = this.view.silenced.get(this.layer.name);
    if (this.isDense) return;
    this.maps.querySelectorAll("button").forEach((button, channel) => {
      button.ariaPressed = String(silent.has(channel));
    });
  }

  onKey(event) {
    const shape = this.layer.outputShape;
    const moves = this.isDense
      ? { ArrowLeft: [-1], ArrowRight: [1], ArrowUp: [-LINE], ArrowDown: [LINE] }
      : {
          ArrowLeft: [0, 0, -1], ArrowRight: [0, 0, 1], ArrowUp: [0, -1, 0], ArrowDown: [0, 1, 0],
          PageUp: [-1, 0, 0], PageDown: [1, 0, 0],
        };
    if (event.key.toLowerCase() === "s" && !event.ctrlKey && !event.metaKey) this.view.toggle(this.layer, this.at[0]);
    else if (moves[event.key]) {
      this.at = this.at.map((at, n) => Math.min(shape[n] - 1, Math.max(0, at + moves[event.key][n])));
    } else return;
    event.preventDefault();
    this.view.inspector.show(this, this.at, true);
  }

  /** Where a place is on which canvas: canvas, and column, row, width, height in its pixels. */
  frameOf(place) {
    if (this.isDense) return [this.canvases[0], [place[0] % LINE, Math.floor(place[0] / LINE), 1, 1]];
    return [this.canvases[place[0]], [place[2], place[1], 1, 1]];
  }
}
