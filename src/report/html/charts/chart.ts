import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type * as Echarts from 'echarts';
import type { EChartsOption } from 'echarts';
import { withoutControls } from '../escape.ts';
import { Markup, markup } from '../markup.ts';
import type { Content } from '../markup.ts';

/** The pixel of a pair of values in the first pair of axes. */
export type ToPixels = (x: number, y: number) => readonly [x: number, y: number];

export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** Text for somebody who cannot see it. */
  readonly title: string;
  readonly className?: string;
  /** `place` is for label layouts: it answers once the axes are laid out. */
  readonly option: (place: ToPixels) => EChartsOption;
  /** SVG over the chart, such as what the pointer and the keyboard can reach. */
  readonly overlay?: (place: ToPixels) => Content;
}

export interface Screen {
  readonly width: number;
  readonly className: 'wide' | 'narrow';
  /** Numbers on an axis, about. */
  readonly ticks: number;
}

/** A large chart twice: for wide screens and for phones, where letters would become too small. */
export function forScreens(draw: (screen: Screen) => Markup): Markup {
  return markup`${draw({ width: 760, className: 'wide', ticks: 5 })}${draw({ width: 350, className: 'narrow', ticks: 3 })}`;
}

/** Draws a chart as an SVG without ids, scripts and styles of its own. Colours are the variables of style.ts. */
export function chart({ width, height, title, className = 'small', option, overlay }: Drawing): Markup {
  const drawn = echarts().init(null, null, { renderer: 'svg', ssr: true, width, height });
  const place: ToPixels = (x, y) => {
    const [left, top] = drawn.convertToPixel({ xAxisIndex: 0, yAxisIndex: 0 }, [x, y]);
    return [left!, top!];
  };
  try {
    drawn.setOption({ animation: false, textStyle: { fontFamily: FONT }, ...option(place) });
    // ECharts escapes the names that it draws, but for control characters.
    const content = new Markup(withoutControls(bare(drawn.renderToSVGString())));
    const role = overlay === undefined ? 'img' : 'group';
    return markup`<svg class="chart ${className}" viewBox="0 0 ${width} ${height}" role="${role}" aria-label="${title}">${content}${overlay?.(place) ?? ''}</svg>`;
  } finally {
    // Its timer would keep the process alive.
    drawn.dispose();
  }
}

let loaded: typeof Echarts | undefined;

/** Folder that `npm pack` puts ECharts' bundle into; in a clone there is none, but the package. */
const BUNDLE = path.join(import.meta.dirname, 'echarts/echarts.cjs');

/**
 * Loaded at the first chart, since most commands draw none, and by `require`, which takes the bundle: the modules that
 * `import` takes are 400 files and take five times as long.
 */
function echarts(): typeof Echarts {
  return (loaded ??= createRequire(import.meta.url)(existsSync(BUNDLE) ? BUNDLE : 'echarts') as typeof Echarts);
}

/** A word to find it by again: style.ts has the font of all charts. */
const FONT = 'inherit';

/**
 * Content of a chart's SVG without the element around it, without what only scripts need, and without the styles that style.ts gives all
 * charts. Classes and ids are left out too, because ECharts numbers them through the process and they would differ from report to report;
 * they serve rules for the pointer and clip paths, which lines have even where nothing is clipped.
 */
function bare(svg: string): string {
  return (
    svg
      .replace(/^<svg [^>]*>\n<rect [^>]*><\/rect>|<(?:defs|style) >[^]*?<\/(?:defs|style)>|<\/svg>$/g, '')
      .replace(
        / (?:class|clip-path|ecmeta_\w+|pointer-events|dominant-baseline|xml:space|paint-order|stroke-\w+limit)="[^"]*"/g,
        '',
      )
      .replace(/(?<= style="[^"]*)(?:font-size:12px;|font-family:inherit;)/g, '')
      .replace(/ style=""| fill="none"|(?<=<text [^>]*) fill="var\(--soft\)"/g, '')
      .replace(/(?<= transform="[^"]*)-?\d+\.\d+/g, (digits) => px(Number(digits)))
      .replace(/(?<= stroke-\w+="[^"]*\.\d\d\d)\d+/g, '')
      .replace(/><\/(?:path|rect|circle|polyline|polygon)>/g, '/>')
      .replace(/\n+/g, '')
      // Lines of the grid that follow one another are one path: a tenth of the report was theirs.
      .replace(/(?<=<path d="[^"]*)" stroke="var\(--grid\)"\/><path d="(?=[^"]*" stroke="var\(--grid\)")/g, '')
  );
}

/** A pixel with one digit: a hundredth more is not seen and takes room. */
export function px(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '');
}
