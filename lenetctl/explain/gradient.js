"use strict";
// Backwards through the net: how much a score changes with each pixel.

const SLOPES = {
  sigmoid: (x) => ACTIVATIONS.sigmoid(x) * (1 - ACTIVATIONS.sigmoid(x)),
  tanh: (x) => 1 - Math.tanh(x) ** 2,
  scaled_tanh: (x) => 1.7159 * (2 / 3) * (1 - Math.tanh((2 / 3) * x) ** 2),
  relu: (x) => (x > 0 ? 1 : 0),
  leaky_relu: (x) => (x > 0 ? 1 : 0.01),
  elu: (x) => (x > 0 ? 1 : Math.exp(x)),
  gelu: (x) =>
    0.5 * (1 + erf(x / Math.SQRT2)) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI),
  silu: (x) => ACTIVATIONS.sigmoid(x) * (1 + x * (1 - ACTIVATIONS.sigmoid(x))),
};

const BACKWARD = {
  resize: (layer, input, slopes) => {
    const back = new Float64Array(input.length);
    eachShare(layer, (to, from, share) => (back[from] += share * slopes[to]));
    return back;
  },
  conv: convolveBack,
  norm: (layer, input, slopes) => {
    const size = input.length / layer.outputShape[0];
    return slopes.map((slope, i) => {
      const c = Math.floor(i / size);
      return (slope * layer.weight[c]) / deviation(layer, c);
    });
  },
  activation: (layer, input, slopes) =>
    slopes.map((slope, i) => slope * SLOPES[layer.function](input[i])),
  pool: poolBack,
  flatten: (_, __, slopes) => slopes,
  dropout: (_, __, slopes) => slopes,
  dense: (layer, input, slopes) => {
    const back = new Float64Array(input.length);
    slopes.forEach((slope, unit) => {
      for (let i = 0; i < back.length; i++) back[i] += slope * layer.weight[unit * back.length + i];
    });
    return back;
  },
  rbf: (layer, input, slopes) => {
    const back = new Float64Array(input.length);
    slopes.forEach((slope, unit) => {
      codeOf(layer, unit).forEach((sign, i) => (back[i] -= 2 * slope * (input[i] - sign)));
    });
    return back;
  },
};

/** The slope of a class's score by each of the 784 pixels, which are from 0 to 1 here. */
function pixelSlopes(net, image, outputs, silenced, number) {
  let slopes = new Float64Array(outputs.at(-1).length);
  slopes[number] = 1;
  const first = Float32Array.from(image, (pixel) => (pixel / 255 - net.mean) / net.std);
  for (let n = net.layers.length - 1; n >= 0; n--) {
    const layer = net.layers[n];
    const size = outputs[n].length / layer.outputShape[0];
    for (const channel of silenced.get(layer.name) ?? []) {
      slopes.fill(0, channel * size, (channel + 1) * size);
    }
    slopes = BACKWARD[layer.kind](layer, n ? outputs[n - 1] : first, slopes);
  }
  return slopes.map((slope) => slope / net.std);
}

/** What each pixel adds to a class's score: its brightness times its slope. */
function pixelShares(net, image, outputs, silenced, number) {
  const slopes = pixelSlopes(net, image, outputs, silenced, number);
  return slopes.map((slope, i) => (slope * image[i]) / 255);
}

function convolveBack(layer, input, slopes) {
  const [inputs, height, width] = layer.inputShape;
  const [outputs, rows, columns] = layer.outputShape;
  const { kernel, stride, padding, weight } = layer;
  const back = new Float64Array(input.length);
  let w = 0;
  for (let o = 0; o < outputs; o++) {
    for (let c = 0; c < inputs; c++) {
      for (let i = 0; i < kernel[0]; i++) {
        const [top, bottom] = inside(i - padding, stride, height, rows);
        for (let j = 0; j < kernel[1]; j++) {
          const factor = weight[w++];
          const [left, right] = inside(j - padding, stride, width, columns);
          for (let y = top; y < bottom; y++) {
            const to = (c * height + y * stride + i - padding) * width + j - padding;
            for (let x = left; x < right; x++) {
              back[to + x * stride] += factor * slopes[(o * rows + y) * columns + x];
            }
          }
        }
      }
    }
  }
  return back;
}

function poolBack(layer, input, slopes) {
  const [channels, rows, columns] = layer.outputShape;
  const back = new Float64Array(input.length);
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const slope = slopes[(c * rows + y) * columns + x];
        const cells = windowOf(layer, input, c, y, x).flat().filter((cell) => cell.at >= 0);
        if (layer.function === "max") {
          back[cells.reduce((a, b) => (b.value > a.value ? b : a)).at] += slope;
        } else {
          for (const cell of cells) back[cell.at] += slope * share(layer, c);
        }
      }
    }
  }
  return back;
}
