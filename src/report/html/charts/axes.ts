import type { GridComponentOption, ScatterSeriesOption } from 'echarts';

/** Room of a grid for the numbers and the name of its axes. */
const ROOM = { left: 64, right: 14, top: 14, bottom: 44 } as const;

/** Pixels left of an axis of percentages with two decimals, with its name. */
export const PERCENT_ROOM = 72;
export const PERCENT_GAP = 56;

/** Names are placed by the room that is left for them: ECharts would move the grid by widths that it can only guess. */
export function gridOf(room: GridComponentOption = {}): GridComponentOption {
  return { ...ROOM, ...room, outerBoundsMode: 'none' };
}

export interface AxisValues {
  readonly name?: string;
  readonly text: (value: number) => string;
  /** Logarithmic where the values differ by more than so many times. */
  readonly log?: { readonly values: readonly number[]; readonly above: number };
  /** Numbers on the axis, about. */
  readonly ticks?: number;
  /** Limits outside of which there are no values. */
  readonly bounds?: readonly [number, number];
  /** Zero lies on the axis, whatever the values are. */
  readonly hasZero?: boolean;
  /** Pixels from the axis to its name. */
  readonly gap?: number;
}

/** The name of an axis along it. */
export const CENTRED = {
  nameLocation: 'middle' as const,
  // Not by the widths that ECharts guesses.
  nameMoveOverlap: false,
  nameTextStyle: { color: 'var(--soft)', fontWeight: 600 as const },
};

const AXIS_LINE = { show: true, lineStyle: { color: 'var(--soft)', cap: 'butt' as const } };
export const GRID_LINES = { show: true, lineStyle: { color: 'var(--grid)' } };

/** Beyond so many times powers of two would be too many. */
const POWERS_OF_TWO = 200;

/** An axis of values that need not begin at zero, with a grid. */
export function valueAxis({
  name = '',
  text,
  log,
  ticks = 5,
  bounds = [-Infinity, Infinity],
  gap = 28,
  hasZero = false,
}: AxisValues) {
  const least = Math.min(...(log?.values ?? []));
  const ratio = Math.max(...(log?.values ?? [])) / least;
  const isLog = log !== undefined && least > 0 && ratio > log.above;
  return {
    ...(isLog ? { type: 'log' as const, logBase: ratio > POWERS_OF_TWO ? 10 : 2 } : { type: 'value' as const }),
    name,
    ...CENTRED,
    nameGap: gap,
    ...(!isLog && { boundaryGap: ['8%', '8%'] as [string, string], ...within(bounds) }),
    scale: !hasZero,
    splitNumber: ticks,
    silent: true,
    axisTick: { show: false },
    axisLine: AXIS_LINE,
    splitLine: GRID_LINES,
    axisLabel: { color: 'var(--soft)', hideOverlap: true, formatter: once(text) },
  };
}

/** Text of a tick; of several values that it rounds to one text the first alone has it. */
function once(text: (value: number) => string): (value: number) => string {
  const first = new Map<string, number>();
  return (value) => {
    const said = text(value);
    if (!first.has(said)) first.set(said, value);
    return first.get(said) === value ? said : '';
  };
}

type Extent = Record<'min' | 'max', number>;

/** A margin of eight per cent must not lead where no value can be. */
function within([low, high]: readonly [number, number]) {
  // Around a single value ECharts leaves more.
  const margin = ({ min, max }: Extent): number => 0.09 * (max - min) || 0.5 * Math.abs(max);
  // By its types it must be a number; null is the documented word for ECharts' own choice.
  const free = null as unknown as number;
  return {
    min: (extent: Extent) => (extent.min >= low && extent.min - margin(extent) < low ? low : free),
    max: (extent: Extent) => (extent.max <= high && extent.max + margin(extent) > high ? high : free),
  };
}

/** An axis of rows, from the top down. */
export function rowsAxis(names: readonly string[]) {
  return {
    type: 'category' as const,
    data: [...names],
    inverse: true,
    silent: true,
    axisTick: { show: false },
    axisLine: AXIS_LINE,
  };
}

/** A dashed line up the chart at `x`. Its series has a point on it, at any `y`, so that the axis reaches so far. */
export function limitLine(x: number, y: number, text: string, position: 'start' | 'end' = 'end'): ScatterSeriesOption {
  return {
    type: 'scatter',
    data: [[x, y]],
    symbol: 'none',
    z: 1,
    markLine: {
      symbol: 'none',
      silent: true,
      z: 1,
      data: [{ xAxis: x }],
      lineStyle: { color: 'var(--s0)', type: 'dashed', width: 1.5 },
      label: { formatter: text, position, ...NAME },
    },
  };
}

/** Names of marks: legible over lines. */
export const NAME = {
  color: 'var(--ink)',
  fontSize: 13,
  fontWeight: 600 as const,
  textBorderColor: 'var(--card)',
  textBorderWidth: 4,
};
