"use strict";
// Numbers as colours that are told apart whatever one's eyes: viridis, and blue to orange.

const VIRIDIS = [
  [68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142],
  [31, 158, 137], [53, 183, 121], [110, 206, 88], [181, 222, 43], [253, 231, 37],
];
const BLUE = [0, 114, 178];
const ORANGE = [213, 94, 0];

/** The colour of a number from 0 to 1. */
function viridis(share) {
  const place = Math.min(Math.max(share, 0), 1) * (VIRIDIS.length - 1);
  const below = Math.min(Math.floor(place), VIRIDIS.length - 2);
  return VIRIDIS[below].map((level, i) => level + (VIRIDIS[below + 1][i] - level) * (place - below));
}

/** Fill a canvas of as many pixels as there are values with colour(value): red, green, blue, opacity. */
function paint(canvas, values, colour) {
  const context = canvas.getContext("2d");
  const picture = context.createImageData(canvas.width, canvas.height);
  for (let i = 0; i < values.length; i++) {
    const [red, green, blue, opacity = 255] = colour(values[i]);
    picture.data[4 * i] = red;
    picture.data[4 * i + 1] = green;
    picture.data[4 * i + 2] = blue;
    picture.data[4 * i + 3] = opacity;
  }
  context.putImageData(picture, 0, 0);
}

const paintGrey = (canvas, pixels) => paint(canvas, pixels, (level) => [level, level, level]);

const LEVELS = Array.from({ length: 256 }, (_, level) => viridis(level / 255));

/** Values from low to high in viridis. */
function paintMap(canvas, values, [low, high]) {
  const scale = 255 / (high - low || 1);
  paint(canvas, values, (value) => LEVELS[Math.round((value - low) * scale)] ?? LEVELS[0]);
}

/** Values below 0 in blue, above in orange, the more opaque the larger. */
function paintShares(canvas, values, largest = largestOf(values)) {
  paint(canvas, values, (value) => [
    ...(value < 0 ? BLUE : ORANGE),
    255 * Math.sqrt(Math.abs(value) / largest),
  ]);
}

/** The largest distance from 0, and 1 where all are 0. */
function largestOf(values) {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
}

function range(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}
