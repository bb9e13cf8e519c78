import { percent } from '../../base/numbers.ts';
import { milliseconds, number, short, size, times } from '../../report/format.ts';
import type { Card, Described, Tensor } from './card.ts';
import { givenText, shownForm } from './forms.ts';
import { location, navigator } from './dom.ts';
import type { Element } from './dom.ts';
import { lineKey, make } from './make.ts';

type Fact = readonly [name: string, value: string | Element];

/** The card of a model; `kind` is its colour. */
export function cardElement(card: Card, kind: number): Element {
  const { name, report } = card;
  const role = report === undefined ? undefined : report.role === 'teacher' ? 'teacher' : 'student';
  return make(
    'article',
    { class: 'card', 'aria-labelledby': `card-${name}` },
    make(
      'h3',
      { id: `card-${name}` },
      lineKey(kind),
      make('span', {}, name),
      role === undefined ? undefined : make('small', { class: 'badge' }, role),
    ),
    make('div', { class: 'figures' }, ...mainFigures(card)),
    factList([...reportFacts(card), ...fileFacts(card)]),
    labels(card),
    ...card.notes.map((note) => make('p', { class: 'caution' }, note)),
    howToAsk(card),
  );
}

function mainFigures({ report, sizeBytes, precision, params }: Card): Element[] {
  const figure = (value: string, about: string): Element =>
    make('div', {}, make('b', {}, value), make('span', {}, about));
  return [
    ...(report === undefined || report.scored === null
      ? []
      : [figure(report.scored.text, `${report.score.name} on the ${report.split} split`)]),
    figure(size(sizeBytes), precision === 'none' ? 'file' : `file, ${precision}`),
    figure(short(params), 'parameters'),
  ];
}

function reportFacts({ report, sizeBytes }: Card): Fact[] {
  if (report === undefined) return [];
  const { run, id, teacher, latency, sameAsTeacher, verdict, macs, cpu } = report;
  const facts: Fact[] = [['From', `${id} of the run ${run}`]];
  if (latency !== undefined)
    facts.push(['Measured', `${milliseconds(latency.p50Ms)} a call (${latency.setting}; ${cpu})`]);
  if (macs !== null) facts.push(['Work', `${short(macs)} multiplications a sample`]);
  if (teacher !== undefined) {
    const parts = [
      ...(teacher.scored === null ? [] : [`${report.score.name} ${teacher.scored.text}`]),
      ...(teacher.sizeBytes === 0
        ? []
        : [size(teacher.sizeBytes), ratio(teacher.sizeBytes / sizeBytes, 'larger', 'smaller')]),
      ...(teacher.latency === undefined || latency === undefined
        ? []
        : [ratio(teacher.latency.p50Ms / latency.p50Ms, 'slower', 'faster')]),
    ];
    facts.push(['Its teacher', parts.join(', ')]);
  }
  if (sameAsTeacher !== undefined)
    facts.push(['Agrees', `with its teacher on ${percent(sameAsTeacher)} of the samples`]);
  if (verdict !== undefined) facts.push(['Verdict', `${verdict} against the student without a teacher`]);
  return facts;
}

function ratio(value: number, more: string, less: string): string {
  return value >= 1 ? `${times(value)}× ${more}` : `${times(1 / value)}× ${less}`;
}

function fileFacts({
  inputs,
  outputs,
  described,
  batching,
  exact,
  maxBatch,
  fixedMs,
  perSampleMs,
  sha256,
  recipe,
  report,
}: Card): Fact[] {
  const { normalization } = described ?? {};
  const batches = {
    any: `up to ${maxBatch} samples in a call${exact === false ? ', equal to answers alone but for rounding' : ''}`,
    fixed: `its file has a fixed batch: samples run in pieces`,
    whole: 'each request runs alone, as it came',
  }[batching];
  return [
    ...(recipe !== undefined && report === undefined ? [['Recipe', recipe] as const] : []),
    ['Takes', inputs.map(tensorText).join('; ')],
    ['Gives', givenText(described, outputs.map(tensorText).join('; '))],
    ...(normalization === undefined
      ? []
      : [
          [
            'Prepared',
            `(value × ${brief(normalization.scale)} − ${list(normalization.mean)}) ÷ ${list(normalization.std)}, by the server`,
          ] as const,
        ]),
    ['Batches', batches],
    ['Costs here', `${milliseconds(fixedMs)} a call and ${milliseconds(perSampleMs)} a sample`],
    ['SHA-256', make('code', { title: sha256 }, sha256.slice(0, 16))],
  ];
}

function tensorText({ name, datatype, shape }: Tensor): string {
  return `${name} ${datatype} [${shape.map((one) => (one < 0 ? 'any' : one)).join(' × ')}]`;
}

function list(values: readonly number[]): string {
  const all = [...new Set(values)];
  if (all.length === 1) return brief(all[0]!);
  return all.length > 4 ? `[${number(values.length)} values]` : `[${values.map(brief).join(', ')}]`;
}

function brief(value: number): string {
  if (Math.abs(1 / value - Math.round(1 / value)) < 1e-6 && Math.abs(value) < 0.1) return `1/${Math.round(1 / value)}`;
  return String(Number(value.toPrecision(4)));
}

function factList(facts: readonly Fact[]): Element {
  return make('dl', {}, ...facts.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]));
}

function labels({ described }: Card): Element | undefined {
  const { names: all, called } = described === undefined ? {} : shownForm(described);
  if (all === undefined) return undefined;
  // Many of them scroll, by the keyboard too.
  const scrolled = { class: 'classes', role: 'group', tabindex: 0, 'aria-label': called };
  const shown = make('p', scrolled, ...all.map((label) => make('span', {}, label)));
  return make('details', { open: all.length <= 12 }, make('summary', {}, `${number(all.length)} ${called!}`), shown);
}

/** A sample in JSON, as far as it can be said in few letters. */
function exampleOf({ text, shape }: Described): string {
  if (text !== undefined) return text.texts === 2 ? '["…", "…"]' : '"…"';
  return shape.length === 1 ? '[…]' : '[[…]]';
}

/** A command to start from, in the shell of the user. */
function howToAsk({ name, inputs, described }: Card): Element {
  const base = `${location.origin}${location.pathname}`;
  const picture = described?.normalization !== undefined && described.shape.length === 3;
  const command = picture
    ? `curl ${base}v1/${name} -H 'Content-Type: image/png' --data-binary @picture.png`
    : described !== undefined
      ? `curl ${base}v1/${name} -H 'Content-Type: application/json' -d '{"inputs": ${exampleOf(described)}}'`
      : `curl ${base}v2/models/${name}/infer -d '{"inputs": [{"name": "${inputs[0]?.name ?? ''}", …}]}'`;
  const code = make('pre', { tabindex: 0 }, command);
  const copy = make('button', { type: 'button', class: 'small', hidden: navigator.clipboard === undefined }, 'Copy');
  copy.addEventListener('click', () => {
    void navigator.clipboard!.writeText(command).then(
      () => (copy.textContent = 'Copied'),
      () => (copy.textContent = 'Not allowed'),
    );
  });
  return make('details', {}, make('summary', {}, 'Ask it from a shell'), code, copy);
}
