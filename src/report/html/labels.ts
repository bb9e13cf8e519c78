import type { LabelLayoutOptionCallbackParams } from 'echarts';
import type { Place } from './chart.ts';

interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Widths are those of an average font: a bold one may be wider. */
const WIDER = 1.2;
const MARK = 18;
const GAP = 12;

/**
 * A label layout for ECharts, which by itself only hides labels that overlap: each label stands at the first place
 * around its mark where no mark and no label is yet, and within the chart.
 */
export function besideMarks(points: readonly (readonly [number, number])[], place: Place, width: number) {
  const taken: Box[] = [];
  return ({ dataIndex, labelRect }: LabelLayoutOptionCallbackParams) => {
    // Only now are the axes laid out.
    if (dataIndex === 0) taken.splice(0, taken.length, ...points.map((point) => around(place(...point))));
    const [x, y] = place(...points[dataIndex!]!);
    const size = { width: WIDER * labelRect.width, height: labelRect.height };
    const free = spots(size.width, size.height).find(([dx, dy]) => {
      const box = { left: x + dx, top: y + dy - size.height / 2, ...size };
      return box.left >= 0 && box.left + box.width <= width && !taken.some((other) => isOverlap(box, other));
    });
    // In a crowd the mark still tells its name when it is pointed at.
    if (free === undefined) return { hideOverlap: true };
    const [dx, dy] = free;
    taken.push({ left: x + dx, top: y + dy - size.height / 2, ...size });
    const isLeft = dx < -size.width / 2;
    return {
      x: isLeft ? x + dx + size.width : x + dx,
      y: y + dy,
      align: isLeft ? ('right' as const) : ('left' as const),
      verticalAlign: 'middle' as const,
    };
  };
}

/** Left edge and middle of a label from its mark: the nearest places first. */
function spots(width: number, height: number): [number, number][] {
  const lines = [0, -height, height, -2 * height, 2 * height, -3 * height, 3 * height];
  return lines.flatMap((dy): [number, number][] => [
    [GAP, dy],
    [-GAP - width, dy],
    ...(dy === 0 ? [] : [[-width / 2, 1.3 * dy] as [number, number]]),
  ]);
}

function around([x, y]: readonly [number, number]): Box {
  return { left: x - MARK / 2, top: y - MARK / 2, width: MARK, height: MARK };
}

function isOverlap(a: Box, b: Box): boolean {
  return a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height;
}
