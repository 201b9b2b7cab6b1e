"use strict";
// Where one value of a layer comes from: the numbers that add up to it.

/** Height and width of a convolution's or a pool's window. */
function windowSides(layer) {
  return layer.kernel ?? [layer.size, layer.size];
}

/** The window of the layer before that a value sees: rows of {value, at}; at is -1 in the padding. */
function windowOf(layer, input, channel, y, x) {
  const [, height, width] = layer.inputShape;
  const [rows, columns] = windowSides(layer);
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => {
      const row = y * layer.stride - layer.padding + i;
      const column = x * layer.stride - layer.padding + j;
      const isInside = row >= 0 && row < height && column >= 0 && column < width;
      const at = isInside ? (channel * height + row) * width + column : -1;
      return { value: isInside ? input[at] : (layer.border ?? 0), at };
    }),
  );
}

const TRACES = {
  resize(layer, input, place) {
    const [, side] = layer.inputShape;
    const terms = [];
    eachShare(layer, (to, from, share) => {
      if (to !== flat(layer.outputShape, place)) return;
      const name = `row ${Math.floor(from / side)}, column ${from % side}`;
      terms.push({ name, value: input[from], weight: share, sum: input[from] * share });
    });
    return { words: "a mean of the pixels around it", terms, parts: terms, bias: 0 };
  },
  conv(layer, input, [o, y, x]) {
    const { kernel, weight } = layer;
    const parts = Array.from({ length: layer.inputShape[0] }, (_, c) => {
      const start = (o * layer.inputShape[0] + c) * kernel[0] * kernel[1];
      const cells = windowOf(layer, input, c, y, x).map((row, i) =>
        row.map((cell, j) => ({ ...cell, weight: weight[start + i * kernel[1] + j] })),
      );
      const sum = cells.flat().reduce((total, cell) => total + cell.value * cell.weight, 0);
      return { name: `channel ${c}`, cells, sum };
    });
    return { words: "window × kernel, added up over the channels", parts, bias: biasAt(layer, o, y * layer.outputShape[2] + x) };
  },
  pool(layer, input, [c, y, x]) {
    const cells = windowOf(layer, input, c, y, x);
    const known = cells.flat().filter((cell) => cell.at >= 0);
    const isMax = layer.function === "max";
    const sum = isMax
      ? Math.max(...known.map((cell) => cell.value))
      : known.reduce((total, cell) => total + cell.value, 0) * share(layer, c);
    const words = isMax
      ? "the largest of the window"
      : layer.bias
        ? `the sum of the window × ${format(share(layer, c))}`
        : `the mean of the window’s ${layer.size ** 2}`;
    return { words, parts: [{ name: `channel ${c}`, cells, sum }], bias: layer.bias ? layer.bias[c] : 0 };
  },
  activation(layer, input, place) {
    const x = input[flat(layer.outputShape, place)];
    const sum = ACTIVATIONS[layer.function](x);
    return { words: `${layer.function} of ${format(x)}`, parts: [{ name: "", sum }], bias: 0 };
  },
  norm(layer, input, place) {
    const [c] = place;
    const x = input[flat(layer.outputShape, place)];
    const factor = layer.weight[c] / deviation(layer, c);
    const words =
      `(${format(x)} − mean ${format(layer.running_mean[c])}) / deviation ` +
      `${format(deviation(layer, c))} × scale ${format(layer.weight[c])}`;
    return { words, parts: [{ name: "", sum: (x - layer.running_mean[c]) * factor }], bias: layer.bias[c] };
  },
  dense(layer, input, [unit]) {
    const [inputs] = layer.inputShape;
    const terms = Array.from(input, (value, i) => {
      const weight = layer.weight[unit * inputs + i];
      return { name: layer.inputNames(i), value, weight, sum: value * weight };
    });
    return { words: "input × weight, the largest products first", terms, parts: terms, bias: layer.bias[unit] };
  },
  rbf(layer, input, [unit]) {
    const terms = Array.from(codeOf(layer, unit), (sign, i) => {
      const apart = input[i] - sign;
      return { name: layer.inputNames(i), value: apart, weight: -apart, sum: -(apart ** 2) };
    });
    return { words: "minus the squared distance to the code of the class, the largest first", terms, parts: terms, bias: 0 };
  },
};

/** The parts of a value, their sums, and what they add up to together with the bias. */
function trace(net, image, outputs, n, place) {
  const layer = net.layers[n];
  const first = Float32Array.from(image, (pixel) => (pixel / 255 - net.mean) / net.std);
  const found = TRACES[layer.kind](
    { ...layer, inputNames: (i) => inputName(net, n, i) },
    n ? outputs[n - 1] : first,
    place,
  );
  const total = found.parts.reduce((sum, part) => sum + part.sum, found.bias);
  return { ...found, total, value: outputs[n][flat(layer.outputShape, place)] };
}

/** How the inputs of a dense layer are called: units, or places of the maps that were flattened. */
function inputName(net, n, i) {
  for (let before = n - 1; before >= 0; before--) {
    const { kind, inputShape } = net.layers[before];
    if (kind === "dense") break;
    if (kind === "flatten" && inputShape.length === 3) {
      const [, height, width] = inputShape;
      const rest = i % (height * width);
      return `channel ${Math.floor(i / (height * width))}, row ${Math.floor(rest / width)}, column ${rest % width}`;
    }
  }
  return `unit ${i}`;
}

function flat(shape, place) {
  return place.reduce((index, at, n) => index * shape[n] + at, 0);
}

/** Three digits that count, in as few letters as they need. */
function format(number) {
  const size = Math.abs(number);
  if (size >= 1e5 || (size > 0 && size < 5e-4)) return number.toExponential(1).replace("-", "−");
  return number.toFixed(size < 10 ? 3 : size < 100 ? 2 : 1).replace("-", "−");
}
