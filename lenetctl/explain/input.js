"use strict";
// The image that the nets are shown: drawn, dropped, or one of the examples.

const SIDE = 28;

class Input {
  /** @param changed is called after each change; dark: whether light pictures are inverted */
  constructor(examples, inverts, changed) {
    this.pixels = new Float64Array(SIDE * SIDE); // from 0 to 255
    this.inverts = inverts;
    this.changed = changed;
    this.canvas = document.getElementById("drawing");
    this.cursor = [SIDE / 2, SIDE / 2]; // column, row
    this.buttons = [];
    this.listen();
    for (const group of examples) this.addExamples(group);
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.last = this.placeOf(event);
      this.stroke(...this.last);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons) for (const one of event.getCoalescedEvents?.() ?? [event]) this.lineTo(this.placeOf(one));
    });
    canvas.addEventListener("keydown", (event) => this.onKey(event));
    canvas.addEventListener("focus", () => this.showCursor(true));
    canvas.addEventListener("blur", () => this.showCursor(false));
    canvas.addEventListener("dragover", (event) => event.preventDefault());
    canvas.addEventListener("drop", (event) => {
      event.preventDefault();
      this.read(event.dataTransfer.files[0]);
    });
    document.getElementById("file").addEventListener("change", (event) => this.read(event.target.files[0]));
    document.getElementById("clear").addEventListener("click", () => this.show(new Float64Array(SIDE * SIDE)));
  }

  addExamples({ title, images }) {
    const heading = element("h3", { text: title });
    const list = element("div", { className: "examples" });
    for (const { label, pixels } of images) {
      const button = element("button", { type: "button", title: label, ariaLabel: label, ariaPressed: "false" });
      const canvas = element("canvas", { width: SIDE, height: SIDE });
      const bytes = decodeBytes(pixels);
      paintGrey(canvas, bytes);
      button.append(canvas);
      button.addEventListener("click", () => this.show(bytes, button));
      list.append(button);
      this.buttons.push(button);
    }
    document.getElementById("examples").append(heading, list);
  }

  /** Show 784 pixels from 0 to 255. */
  show(pixels, chosen) {
    this.pixels = Float64Array.from(pixels);
    this.update(chosen);
  }

  update(chosen) {
    for (const button of this.buttons) button.ariaPressed = String(button === chosen);
    paintGrey(this.canvas, this.pixels);
    this.changed();
  }

  placeOf(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  }

  lineTo([x, y]) {
    const [fromX, fromY] = this.last;
    const steps = Math.ceil(Math.hypot(x - fromX, y - fromY)) || 1;
    for (let n = 1; n <= steps; n++) {
      this.stroke(fromX + ((x - fromX) * n) / steps, fromY + ((y - fromY) * n) / steps);
    }
    this.last = [x, y];
  }

  /** A soft round brush, about two pixels wide. */
  stroke(x, y) {
    for (let row = 0; row < SIDE; row++) {
      for (let column = 0; column < SIDE; column++) {
        const distance = Math.hypot(column + 0.5 - x, row + 0.5 - y);
        const level = 255 * Math.min(1, Math.max(0, 1.9 - distance));
        this.pixels[row * SIDE + column] = Math.max(this.pixels[row * SIDE + column], level);
      }
    }
    this.update();
  }

  onKey(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (moves[event.key]) {
      this.cursor = this.cursor.map((at, n) => Math.min(SIDE - 1, Math.max(0, at + moves[event.key][n])));
      this.showCursor(true);
    } else if (event.key === " ") this.stroke(this.cursor[0] + 0.5, this.cursor[1] + 0.5);
    else if (event.key === "Delete" || event.key === "Backspace") this.show(new Float64Array(SIDE * SIDE));
    else return;
    event.preventDefault();
  }

  showCursor(isShown) {
    const frame = document.getElementById("cursor");
    frame.hidden = !isShown || !this.canvas.matches(":focus-visible");
    placeFrame(frame, [this.cursor[0], this.cursor[1], 1, 1], SIDE, SIDE);
  }

  /** A picture of any size and colour, in proportion; on a light ground inverted if the data are. */
  async read(file) {
    if (!file) return;
    let picture;
    try {
      picture = await createImageBitmap(file);
    } catch {
      say(`${file.name} is not a picture that this browser can read`);
      return;
    }
    const context = element("canvas", { width: SIDE, height: SIDE }).getContext("2d");
    const scale = SIDE / Math.max(picture.width, picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    const small = shrink(picture, Math.max(1, Math.round(width)), Math.max(1, Math.round(height)));
    const ground = borderLevel(small);
    context.fillStyle = `rgb(${ground}, ${ground}, ${ground})`;
    context.fillRect(0, 0, SIDE, SIDE);
    context.drawImage(small, Math.floor((SIDE - small.width) / 2), Math.floor((SIDE - small.height) / 2));
    const grey = greyOf(context, SIDE, SIDE);
    this.show(this.inverts && ground >= 128 ? grey.map((level) => 255 - level) : grey);
  }
}

/** The picture in a canvas of the given size, halved step by step so that no pixel is left out. */
function shrink(picture, width, height) {
  let from = picture;
  for (;;) {
    const size = { width: Math.max(width, from.width >> 1), height: Math.max(height, from.height >> 1) };
    const canvas = element("canvas", size);
    canvas.getContext("2d").drawImage(from, 0, 0, size.width, size.height);
    if (size.width === width && size.height === height) return canvas;
    from = canvas;
  }
}

/** The median grey of the outermost pixels. */
function borderLevel(canvas) {
  const { width, height } = canvas;
  const grey = greyOf(canvas.getContext("2d"), width, height);
  const border = grey.filter((_, i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    return x === 0 || y === 0 || x === width - 1 || y === height - 1;
  });
  return Math.round(border.sort()[border.length >> 1]);
}

function greyOf(context, width, height) {
  const { data } = context.getImageData(0, 0, width, height);
  return Float64Array.from({ length: width * height }, (_, i) => {
    const [red, green, blue, opacity] = data.subarray(4 * i, 4 * i + 4);
    return ((0.299 * red + 0.587 * green + 0.114 * blue) * opacity) / 255;
  });
}
