/** Pictures drawn pixel by pixel: textures, and pictures pasted over them with a mask of who covers whom. */

/** Random numbers from 0 to 1 that follow from a 32-bit seed (Mulberry32). */
export function numbersFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Smooth noise from 0 to 1: random values on a grid of `cell` pixels, interpolated between them. */
function smoothNoise(size, cell, random) {
  const wide = Math.ceil(size / cell) + 2;
  const grid = Float64Array.from({ length: wide * wide }, random);
  const eased = (t) => t * t * (3 - 2 * t);
  return (x, y) => {
    const [column, row] = [Math.floor(x / cell), Math.floor(y / cell)];
    const [right, down] = [eased(x / cell - column), eased(y / cell - row)];
    const at = (r, c) => grid[r * wide + c];
    const above = at(row, column) + (at(row, column + 1) - at(row, column)) * right;
    const below = at(row + 1, column) + (at(row + 1, column + 1) - at(row + 1, column)) * right;
    return above + (below - above) * down;
  };
}

/** Kinds of texture: each gives the share of the second colour, 0 to 1, at a pixel. */
const TEXTURES = {
  gradient: (size, random) => {
    const turn = 2 * Math.PI * random();
    return (x, y) => 0.5 + (Math.cos(turn) * (x / size - 0.5) + Math.sin(turn) * (y / size - 0.5)) / Math.SQRT2;
  },
  stripes: (size, random) => {
    const [turn, period, phase] = [Math.PI * random(), 8 + 40 * random(), random()];
    return (x, y) => (((x * Math.cos(turn) + y * Math.sin(turn)) / period + phase + size) % 1 < 0.5 ? 0 : 1);
  },
  checker: (size, random) => {
    const [cell, left, top] = [8 + 24 * random(), size * random(), size * random()];
    return (x, y) => (Math.floor((x + left) / cell) + Math.floor((y + top) / cell)) % 2;
  },
  noise: (size, random) => {
    const [coarse, fine] = [smoothNoise(size, 40, random), smoothNoise(size, 12, random)];
    return (x, y) => 0.65 * coarse(x, y) + 0.35 * fine(x, y);
  },
};

/** A square picture [size, size, 3] of two random colours in a random texture, with a little noise in each pixel. */
export function texture(size, random) {
  const kinds = Object.values(TEXTURES);
  const shareAt = kinds[Math.floor(kinds.length * random())](size, random);
  const colour = () => Array.from({ length: 3 }, () => 255 * random());
  const first = colour();
  // The second colour is as far from the first as chance has it.
  const contrast = random();
  const second = colour().map((value, c) => first[c] + (value - first[c]) * contrast);
  const grain = 6 * random();
  const pixels = new Float32Array(size * size * 3);
  for (let y = 0, at = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const [share, noise] = [shareAt(x, y), grain * (random() - 0.5)];
      for (let c = 0; c < 3; c++) pixels[at++] = first[c] + (second[c] - first[c]) * share + noise;
    }
  return pixels;
}

/**
 * Pastes a square RGBA picture of `source.size` pixels into a scene: `length` pixels long, turned by `turn` (radians) around its centre
 * at (x, y), mirrored or not, its colours multiplied by `gains`. `scene.owner` holds the number of the last picture that covers at least half
 * of a pixel; `scene.isMixed` is 1 where it covers between a quarter and three quarters of the pixel. Returns the number of its pixels.
 */
export function paste(scene, source, number, { x, y, length, turn, isMirrored, gains }) {
  const { size, pixels, owner, isMixed } = scene;
  const scale = source.size / length;
  const steps = Math.max(2, Math.ceil(scale));
  const [cos, sin] = [Math.cos(turn) * scale, Math.sin(turn) * scale];
  const reach = Math.ceil((length * Math.SQRT2) / 2) + 1;
  const sum = new Float64Array(4);
  let area = 0;
  for (let row = Math.max(0, Math.floor(y) - reach); row < Math.min(size, y + reach); row++)
    for (let column = Math.max(0, Math.floor(x) - reach); column < Math.min(size, x + reach); column++) {
      sum.fill(0);
      for (let i = 0; i < steps * steps; i++) {
        const across = column + ((i % steps) + 0.5) / steps - x;
        const down = row + (Math.floor(i / steps) + 0.5) / steps - y;
        const u = (isMirrored ? -1 : 1) * (across * cos + down * sin);
        addSample(sum, source, u + source.size / 2, down * cos - across * sin + source.size / 2);
      }
      const alpha = sum[3] / (255 * steps * steps);
      if (alpha === 0) continue;
      const at = row * size + column;
      for (let c = 0; c < 3; c++) {
        const colour = (sum[c] / sum[3]) * gains[c];
        pixels[at * 3 + c] += (colour - pixels[at * 3 + c]) * alpha;
      }
      if (alpha >= 0.25) isMixed[at] = alpha < 0.75 ? 1 : 0;
      if (alpha < 0.5) continue;
      owner[at] = number;
      area++;
    }
  return area;
}

/** Number of the pixels of a picture that was pasted into a square scene of `size` pixels, and the box around them as COCO has it. */
export function visible({ size, owner }, number) {
  let [seen, left, top, right, bottom] = [0, size, size, -1, -1];
  owner.forEach((value, at) => {
    if (value !== number) return;
    const [x, y] = [at % size, Math.floor(at / size)];
    [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
    seen++;
  });
  return { seen, box: [left, top, right - left + 1, bottom - top + 1] };
}

/** Adds the colour at (u, v), interpolated bilinearly and multiplied by its opacity, and the opacity, 0 to 255. */
function addSample(sum, { size, data }, u, v) {
  const [left, top] = [Math.floor(u - 0.5), Math.floor(v - 0.5)];
  const [right, down] = [u - 0.5 - left, v - 0.5 - top];
  for (let i = 0; i < 4; i++) {
    const [column, row] = [left + (i % 2), top + (i >> 1)];
    if (column < 0 || row < 0 || column >= size || row >= size) continue;
    const weight = (i % 2 ? right : 1 - right) * (i >> 1 ? down : 1 - down);
    const at = 4 * (row * size + column);
    const alpha = weight * data[at + 3];
    for (let c = 0; c < 3; c++) sum[c] += alpha * data[at + c];
    sum[3] += alpha;
  }
}
