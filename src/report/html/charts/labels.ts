import type { LabelLayoutOptionCallbackParams } from 'echarts';
import { PERCENT_ROOM } from './axes.ts';
import type { ToPixels } from './chart.ts';

type Box = Record<'left' | 'right' | 'top' | 'bottom', number>;

/** Widths are those of an average font: a bold one may be wider. */
const WIDER = 1.2;
const MARK = 18;
const GAP = 12;
/** Part of its width that a label has on the left of where it is put. */
const BEFORE = { left: 0, center: 0.5, right: 1 } as const;

/** Places of a label beside its mark, in pixels and in lines, the nearest first. */
const SPOTS = [0, -1, 1, -2, 2, -3, 3].flatMap((lines) => [
  { align: 'left' as const, dx: GAP, lines },
  { align: 'right' as const, dx: -GAP, lines },
  ...(lines === 0 ? [] : [{ align: 'center' as const, dx: 0, lines: 1.3 * lines }]),
]);

/**
 * A label layout for ECharts, which by itself only hides labels that overlap: each label stands at the first place
 * around its mark where no mark and no label is yet, and within the plot.
 */
export function besideMarks(points: readonly (readonly [number, number])[], place: ToPixels, width: number) {
  let taken: Box[] = [];
  return ({ dataIndex, labelRect }: LabelLayoutOptionCallbackParams) => {
    const [wide, high] = [WIDER * labelRect.width, labelRect.height];
    // Only now are the axes laid out.
    if (dataIndex === 0) taken = points.map((point) => boxAt(...place(...point), MARK, MARK));
    const [x, y] = place(...points[dataIndex!]!);
    for (const { align, dx, lines } of SPOTS) {
      const at = { x: x + dx, y: y + lines * high };
      const box = boxAt(at.x + (0.5 - BEFORE[align]) * wide, at.y, wide, high);
      if (box.left < PERCENT_ROOM || box.right > width || taken.some((other) => isOverlap(box, other))) continue;
      taken.push(box);
      return { ...at, align, verticalAlign: 'middle' as const };
    }
    // In a crowd the mark still tells its name when it is pointed at.
    return { fontSize: 0 };
  };
}

function boxAt(x: number, y: number, width: number, height: number): Box {
  return { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 };
}

function isOverlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
