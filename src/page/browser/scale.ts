/** An axis from one round number to another, and those between. */
export interface Scale {
  readonly bottom: number;
  readonly top: number;
  readonly ticks: readonly number[];
}

/** An axis from zero, with about `count` steps of a round size. */
export function scaleTo(largest: number, count: number): Scale {
  const most = Number.isFinite(largest) && largest > 0 ? largest : 1;
  const step = roundStep(most / count);
  const steps = Math.ceil(most / step - 1e-9);
  const ticks = Array.from({ length: steps + 1 }, (_, i) => Number((i * step).toPrecision(6)));
  return { bottom: 0, top: ticks.at(-1)!, ticks };
}

/** The same around finite values. */
export function scaleBetween(least: number, most: number, count: number): Scale {
  if (most === least) {
    const margin = 0.5 * (Math.abs(least) || 1);
    return scaleBetween(least - margin, most + margin, count);
  }
  const step = roundStep((most - least) / count);
  const first = Math.floor(least / step + 1e-9);
  const last = Math.ceil(most / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(6)));
  return { bottom: ticks[0]!, top: ticks.at(-1)!, ticks };
}

function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 2.5, 5, 10].find((one) => one * power >= rough * (1 - 1e-9)) ?? 10;
  return factor * power;
}
