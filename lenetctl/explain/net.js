"use strict";
// The forward pass. What a layer makes is a Float32Array in the order channel, row, column;
// sums are added up in 64 bits, so that they agree with torch's whatever its order.

const ACTIVATIONS = {
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  scaled_tanh: (x) => 1.7159 * Math.tanh((2 / 3) * x),
  relu: (x) => Math.max(0, x),
  leaky_relu: (x) => (x > 0 ? x : 0.01 * x),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  silu: (x) => x / (1 + Math.exp(-x)),
};

const FORWARD = {
  resize: resize,
  conv: convolve,
  norm: normalise,
  activation: (layer, input) => input.map(ACTIVATIONS[layer.function]),
  pool: pool,
  flatten: (_, input) => input,
  dropout: (_, input) => input, // drops nothing once training is over
  dense: multiply,
  rbf: distances,
};

/** A net as the page carries it, its weights as numbers: layer.weight, layer.bias, … */
function loadNet(document) {
  useWeights(document, document.weights);
  return document;
}

/** Give a net other weights, as base64 in the order of its own. */
function useWeights(net, encoded) {
  const weights = decodeFloats(encoded);
  for (const layer of net.layers) {
    for (const [name, [start, length]] of Object.entries(layer.tensors)) {
      layer[name] = weights.subarray(start, start + length);
    }
  }
}

/**
 * What each layer makes of an image: an array of outputs, one for each layer.
 *
 * @param image 784 pixels from 0 to 255
 * @param silenced for each layer's name a set of channels, or units, that are set to 0
 */
function forward(net, image, silenced = new Map()) {
  let output = Float32Array.from(image, (pixel) => (pixel / 255 - net.mean) / net.std);
  return net.layers.map((layer) => {
    output = FORWARD[layer.kind](layer, output);
    const channels = silenced.get(layer.name);
    if (channels?.size) {
      output = output.slice();
      const size = output.length / layer.outputShape[0];
      for (const channel of channels) output.fill(0, channel * size, (channel + 1) * size);
    }
    return output;
  });
}

function softmax(logits) {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

function convolve(layer, input) {
  const [inputs, height, width] = layer.inputShape;
  const [outputs, rows, columns] = layer.outputShape;
  const { kernel, stride, padding, border, weight } = layer;
  const output = new Float32Array(outputs * rows * columns);
  const sums = new Float64Array(rows * columns);
  let w = 0; // the weights are stored in the order of these four loops
  for (let o = 0; o < outputs; o++) {
    for (let n = 0; n < sums.length; n++) sums[n] = biasAt(layer, o, n);
    for (let c = 0; c < inputs; c++) {
      for (let i = 0; i < kernel[0]; i++) {
        const [top, bottom] = inside(i - padding, stride, height, rows);
        for (let j = 0; j < kernel[1]; j++) {
          const factor = weight[w++];
          const [left, right] = inside(j - padding, stride, width, columns);
          if (border) addBorder(sums, factor * border, [top, bottom, left, right], columns);
          for (let y = top; y < bottom; y++) {
            const from = (c * height + y * stride + i - padding) * width + j - padding;
            for (let x = left; x < right; x++) {
              sums[y * columns + x] += factor * input[from + x * stride];
            }
          }
        }
      }
    }
    output.set(sums, o * rows * columns);
  }
  return output;
}

/** The bias at a place of an output map: of the map, or its own. */
function biasAt({ bias, outputShape }, map, place) {
  if (!bias) return 0;
  const [outputs, rows, columns] = outputShape;
  return bias.length === outputs ? bias[map] : bias[map * rows * columns + place];
}

/** An image X of another size: M X Mᵀ. */
function resize(layer, input) {
  const output = new Float32Array(layer.outputShape.reduce((a, b) => a * b));
  eachShare(layer, (to, from, share) => (output[to] += share * input[from]));
  return output;
}

/** For each pixel of the new image, which of the old it is made of, and how much of each. */
function eachShare({ matrix, inputShape, outputShape }, visit) {
  const [, side] = inputShape;
  const [, rows, columns] = outputShape;
  for (let to = 0; to < rows * columns; to++) {
    for (let from = 0; from < side * side; from++) {
      const [y, i] = [Math.floor(to / columns), Math.floor(from / side)];
      const share = matrix[y * side + i] * matrix[(to % columns) * side + (from % side)];
      if (share) visit(to, from, share);
    }
  }
}

/** Add a value wherever a weight meets the padding: outside of these rows and columns. */
function addBorder(sums, value, [top, bottom, left, right], columns) {
  for (let n = 0; n < sums.length; n++) {
    const [y, x] = [Math.floor(n / columns), n % columns];
    if (y < top || y >= bottom || x < left || x >= right) sums[n] += value;
  }
}

/** The places n of `count` for which 0 <= n * stride + offset < size: first, and one past last. */
function inside(offset, stride, size, count) {
  const first = Math.max(0, Math.ceil(-offset / stride));
  return [first, Math.min(count, Math.floor((size - 1 - offset) / stride) + 1)];
}

function normalise(layer, input) {
  const size = input.length / layer.outputShape[0];
  return input.map((x, i) => {
    const c = Math.floor(i / size);
    return ((x - layer.running_mean[c]) * layer.weight[c]) / deviation(layer, c) + layer.bias[c];
  });
}

function deviation(layer, channel) {
  return Math.sqrt(layer.running_var[channel] + layer.eps);
}

function pool(layer, input) {
  const [channels, rows, columns] = layer.outputShape;
  const output = new Float32Array(channels * rows * columns);
  let n = 0;
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) output[n++] = pooled(layer, input, c, y, x);
    }
  }
  return output;
}

function pooled(layer, input, c, y, x) {
  const [, height, width] = layer.inputShape;
  const { size, stride, padding } = layer;
  const isMax = layer.function === "max";
  let result = isMax ? -Infinity : 0;
  for (let i = Math.max(0, y * stride - padding); i < Math.min(height, y * stride - padding + size); i++) {
    for (let j = Math.max(0, x * stride - padding); j < Math.min(width, x * stride - padding + size); j++) {
      const value = input[(c * height + i) * width + j];
      result = isMax ? Math.max(result, value) : result + value;
    }
  }
  if (isMax) return result;
  return result * share(layer, c) + (layer.bias ? layer.bias[c] : 0);
}

/** What each pixel of a window counts in its sum: learnt, or that of the mean, padding included. */
function share(layer, channel) {
  return layer.function === "subsample" ? layer.weight[channel] : 1 / layer.size ** 2;
}

function multiply(layer, input) {
  const [inputs] = layer.inputShape;
  return Float32Array.from(layer.bias, (bias, unit) => {
    let sum = bias;
    for (let i = 0; i < inputs; i++) sum += layer.weight[unit * inputs + i] * input[i];
    return sum;
  });
}

/** Minus the squared distance to the code of each class. */
function distances(layer, input) {
  const codes = Array.from({ length: layer.outputShape[0] }, (_, n) => codeOf(layer, n));
  return Float32Array.from(codes, (code) =>
    code.reduce((sum, sign, i) => sum - (input[i] - sign) ** 2, 0),
  );
}

function codeOf(layer, unit) {
  const [inputs] = layer.inputShape;
  return layer.codes.subarray(unit * inputs, (unit + 1) * inputs);
}

/** The error function, to 1.5e-7 (Abramowitz and Stegun 7.1.26). */
function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const terms = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  const series = terms.reduce((sum, term) => (sum + term) * t, 0);
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
}

function decodeBytes(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function decodeFloats(base64) {
  return new Float32Array(decodeBytes(base64).buffer);
}
