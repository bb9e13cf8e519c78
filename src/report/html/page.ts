import { compared, size } from '../format.ts';
import { classesSection } from './sections/classes.ts';
import { Markup, markup } from './markup.ts';
import type { Content } from './markup.ts';
import { agreementSection } from './sections/agreement.ts';
import { answerSections } from './sections/of-answers.ts';
import { curvesSection, factsSection, latencySection, recipeSection } from './sections/sections.ts';
import { RARE } from './sections/rare.ts';
import { STYLE } from './style.ts';
import { modelsTable } from './tables.ts';
import { tradeSection } from './sections/trade.ts';
import { verdictSection } from './sections/verdict.ts';
import {
  commonLatency,
  finalModel,
  originalOf,
  settingOf,
  speedOf,
  scoredSplit,
  summarySentences,
  teacherModel,
} from '../summary.ts';
import type { Score } from '../../tasks/score.ts';
import { rowScore, scoreOf } from '../score.ts';
import { taughtBy } from '../taught-by.ts';
import type { ModelRow, Report } from '../types.ts';

/**
 * Policy that forbids to load anything: the file holds everything, wherever it is opened. No policy within a page stops a refresh by `meta`
 * (Chromium ignores `sandbox` there, and has no `navigate-to`): that no text of a report becomes an element is up to `markup`.
 */
const POLICY =
  "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** The report as one file without scripts: a function of report.json and nothing else. */
export function reportHtml(report: Report): string {
  const { name, verdict, models, dataset } = report;
  const [lead = `The run ${name} has no model yet.`, ...rest] = summarySentences(report);
  const modelsSection =
    models.length === 0
      ? ''
      : markup`<section id="models"><h2>Models</h2><p>What each cost and what it gained, beside the teacher where there is one.
      Models are chosen on the validation split; the test split is used once, at the end.</p>${modelsTable(report)}</section>`;
  const figures = [
    tradeSection(report),
    RARE.steps.of(report),
    modelsSection,
    verdict === undefined ? '' : verdictSection(verdict, scoreOf(report), taughtBy(report)),
    RARE.search.of(report),
    RARE.race.of(report),
    latencySection(report),
    RARE.answerFiles.of(report),
    RARE.streams.of(report),
    foldedWhereNarrow(curvesSection(report)),
    classesSection(report),
    foldedWhereNarrow(RARE.calibration.of(report)),
    agreementSection(report),
    foldedWhereNarrow(RARE.examples.of(report)),
    ...answerSections(report),
    foldedWhereNarrow(RARE.channels.of(report)),
    foldedWhereNarrow(RARE.pruning.of(report)),
    foldedWhereNarrow(RARE.quantization.of(report)),
    foldedWhereNarrow(factsSection(report)),
  ].map((section) => (dataset.labelledBy === undefined ? section : ofAgreement(section, agreementOf(report))));
  const sections = [...figures, foldedWhereNarrow(recipeSection(report))].filter(
    (section) => section instanceof Markup,
  );
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    markup`<title>${name}: Limbeck report</title>`.source,
    `<style>${STYLE}</style></head>`,
    markup`<body><header><h1>${name}</h1><p class="lead">${lead}</p>`.source,
    rest.length === 0 ? '' : markup`<p class="sub">${rest.join(' ')}</p>`.source,
    markup`${contents(sections)}</header><main>${tiles(report)}`.source,
    ...sections.map(({ source }) => source),
    '</main><footer>Made by Limbeck from report.json, which holds the same figures for programs.</footer></body></html>\n',
  ].join('\n');
}

/** A section of which phones show the heading alone, until it is opened; on wide screens and on paper it is open, as the style says. */
function foldedWhereNarrow(section: Content): Content {
  if (!(section instanceof Markup)) return section;
  const end = section.source.indexOf('</h2>') + '</h2>'.length;
  const body = section.source.slice(end).replace(/<\/section>\s*$/, '');
  return new Markup(
    `${section.source.slice(0, end)}<details class="far"><summary>Show</summary>${body}</details></section>`,
  );
}

/** The words that are read, in tables, headings and charts: where nobody knows the labels, no share is an accuracy. */
function ofAgreement(section: Content, agreement: string): Content {
  if (!(section instanceof Markup)) return section;
  const words = section.source.replaceAll(/>[^<]+</g, (text) =>
    text
      .replaceAll(/\baccuracy\b/g, agreement)
      .replaceAll(/\bAccuracy\b/g, agreement.replace('a', 'A'))
      .replaceAll(/\b(more|less|as) accurate\b/g, `$1 in ${agreement}`),
  );
  return new Markup(words);
}

function agreementOf(report: Report): string {
  return `agreement with ${originalOf(report)}`;
}

/** Links to the sections by their headings; page numbers of a printed report are not known here. */
function contents(sections: readonly Markup[]): Markup {
  const links = sections.flatMap(({ source }) => {
    const [, id, heading] = /^<section id="([\w-]+)"><h2>([^<]*)/.exec(source) ?? [];
    return id === undefined ? [] : [markup`<li><a href="#${id}">${new Markup(heading!.replace(/: $/, ''))}</a></li>`];
  });
  return markup`<nav aria-label="Sections"><ul>${links}</ul></nav>`;
}

/** The four figures that most people came for. */
function tiles(report: Report): Content {
  const [model, teacher] = [finalModel(report), teacherModel(report)];
  if (model === undefined) return '';
  const beside = teacher === model ? undefined : teacher;
  const own = rowScore(model);
  const score = scoreOf(report);
  const its = beside === undefined ? null : rowScore(beside);
  const latency = beside === undefined ? undefined : commonLatency(model, beside);
  const speed = latency && speedOf(latency);
  const all = [
    own === null
      ? ''
      : tile(
          score.text(own),
          report.dataset.labelledBy === undefined
            ? `${score.isShareRight ? 'right' : score.name} on the ${scoredSplit(model)} split${overSeeds(model, score)}${its === null ? '' : `; teacher ${score.text(its)}`}`
            : `of the ${scoredSplit(model)} split: ${score.isShareRight ? '' : `${score.name}, `}${agreementOf(report)}`,
        ),
    model.sizeBytes === 0
      ? ''
      : tile(
          size(model.sizeBytes),
          beside === undefined || beside.sizeBytes === 0
            ? 'size of the file'
            : besideTeacher(compared(beside.sizeBytes / model.sizeBytes, 'smaller', 'larger'), 'as large'),
        ),
    latency === undefined || speed === undefined
      ? ''
      : tile(
          speed.text ?? (speed.isDecided ? 'as fast' : 'not decided'),
          `${speed.isDecided ? `${speed.text === undefined ? 'as' : 'than'} the teacher` : 'which is faster, student or teacher'}${speed.range}: ${settingOf(latency[0])}`,
        ),
    report.verdict === undefined
      ? ''
      : markup`<div class="tile"><b class="word ${TONES[report.verdict.result]}">${report.verdict.result}</b><span>against the student without a ${taughtBy(report)}</span></div>`,
  ];
  return markup`<div class="tiles">${all}</div>`;
}

function overSeeds({ repeats }: ModelRow, score: Score): string {
  if (repeats === undefined) return '';
  return `, mean of ${repeats.scores.length} (95 % interval ${repeats.interval.map(score.text).join(' to ')})`;
}

const TONES = { BEATS: 'good', 'NO GAIN': 'bad', INCONCLUSIVE: 'warn' } as const;

function besideTeacher(factor: string | undefined, same: string): string {
  return factor === undefined ? `${same} as the teacher` : `${factor} than the teacher`;
}

function tile(figure: string, about: string): Content {
  return markup`<div class="tile"><b>${figure}</b><span>${about}</span></div>`;
}
