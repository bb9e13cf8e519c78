export interface Scale {
  readonly place: (value: number) => number;
  readonly ticks: readonly number[];
}

/** From values to pixels; logarithmic where they differ by more than `logAbove` times. */
export function scaleOf(
  values: readonly number[],
  [from, to]: readonly [number, number],
  { logAbove = Infinity, bounds = [-Infinity, Infinity] as readonly [number, number], wanted = 5 } = {},
): Scale {
  const known = values.filter(Number.isFinite);
  const [least, most] = known.length === 0 ? [0, 1] : [Math.min(...known), Math.max(...known)];
  if (least > 0 && most / least > logAbove) return logScale(least, most, [from, to]);
  const margin = (most - least || Math.abs(most) * 0.1 || 1) * 0.08;
  const step = stepOf((most - least + 2 * margin) / wanted);
  const low = Math.max(bounds[0], Math.floor((least - margin) / step) * step);
  const high = Math.min(bounds[1], Math.ceil((most + margin) / step) * step);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) ticks.push(rounded(i * step));
  return { ticks, place: (value) => from + ((value - low) / (high - low)) * (to - from) };
}

function logScale(least: number, most: number, [from, to]: readonly [number, number]): Scale {
  const [low, high] = [Math.log10(least) - 0.1, Math.log10(most) + 0.1];
  const digits = high - low > 2.5 ? [1] : high - low > 1.2 ? [1, 3] : [1, 2, 5];
  const ticks = [];
  for (let power = Math.floor(low); power <= high; power++) {
    for (const digit of digits) {
      const tick = rounded(digit * 10 ** power);
      if (Math.log10(tick) >= low && Math.log10(tick) <= high) ticks.push(tick);
    }
  }
  return { ticks, place: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from) };
}

/** 1, 2 or 5 times a power of ten, the nearest above. */
function stepOf(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((digit) => digit * power >= least * (1 - 1e-9)) ?? 10) * power;
}

/** Without the dust of binary fractions. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
}
