import { percent } from '../format.ts';
import { finalModel } from '../summary.ts';
import type { Confusion, ModelRow, Report } from '../types.ts';
import { escape } from './escape.ts';
import { key, table } from './tables.ts';

/** How right each model is on each class, and which classes the final model and the teacher take for one another. */
export function classesSection(report: Report): string {
  const rated = report.models.flatMap((model, kind) =>
    model.confusion === undefined ? [] : [{ model, kind, counts: model.confusion.counts }],
  );
  if (rated.length === 0) return '';
  const names = namesOf(report, rated[0]!.counts.length);
  const rows = names.map((name, c) => {
    const of = rated.map(({ counts }) => counts[c]![c]! / sum(counts[c]!));
    const best = Math.max(...of.filter(Number.isFinite));
    const cells = of.map((share) => {
      const text = Number.isFinite(share) ? percent(share) : '–';
      return `<td>${share === best && rated.length > 1 ? `<b>${text}</b>` : text}</td>`;
    });
    return `<tr><th scope="row">${escape(name)}</th><td>${sum(rated[0]!.counts[c]!)}</td>${cells.join('')}</tr>`;
  });
  const per = table('Accuracy per class', ['class', 'samples', ...rated.map(({ model }) => model.id)], rows);
  const first = finalModel(report);
  const chosen = [...rated].sort((a, b) => Number(b.model === first) - Number(a.model === first));
  const matrices = chosen.map(({ model, kind, counts }, i) => {
    const twin = chosen.slice(0, i).find((other) => JSON.stringify(other.counts) === JSON.stringify(counts));
    const body =
      twin === undefined
        ? `<p><small>${escape(worst(model.confusion!, names))}</small></p>${matrix(model, model.confusion!, names)}`
        : `<p><small>The same as that of ${escape(twin.model.id)}.</small></p>`;
    return `<details${i === 0 ? ' open' : ''}><summary>${key(kind)}Confusion matrix: ${escape(model.id)}</summary>${body}</details>`;
  });
  const { split } = rated[0]!.model.confusion!;
  return (
    `<section id="classes"><h2>Class by class</h2><p>On the ${split} split. The best of each row is bold.</p>${per}` +
    `${matrices.join('')}</section>`
  );
}

function matrix({ id }: ModelRow, { counts }: Confusion, names: readonly string[]): string {
  const rows = counts.map((row, truth) => {
    const all = sum(row);
    const cells = row.map((count, predicted) => {
      if (count === 0) return '<td class="zero">·</td>';
      // Errors are shaded more strongly than hits: they are rare, and what one looks for.
      const share = count / all;
      const weight = truth === predicted ? 12 + 28 * share : 12 + 33 * Math.min(1, 4 * share);
      return `<td class="${truth === predicted ? 'hit' : 'miss'}" style="--w:${weight.toFixed(0)}%">${count}</td>`;
    });
    return `<tr><th scope="row" title="${escape(names[truth]!)}">${escape(names[truth]!)}</th>${cells.join('')}</tr>`;
  });
  return table(`Confusion matrix of ${id}`, ['true ↓ said →', ...names], rows).replace(
    '<table>',
    '<table class="confusion">',
  );
}

function worst({ counts }: Confusion, names: readonly string[]): string {
  const errors = counts.flatMap((row, truth) =>
    row.flatMap((count, said) => (truth === said || count === 0 ? [] : [{ truth, said, count }])),
  );
  const most = errors.sort((a, b) => b.count - a.count).slice(0, 3);
  if (most.length === 0) return 'No sample is wrong.';
  return `Most often: ${most.map(({ truth, said, count }) => `${names[truth]!} taken for ${names[said]!} (${count})`).join(', ')}.`;
}

function namesOf({ dataset }: Report, classes: number): string[] {
  return Array.from({ length: classes }, (_, c) => dataset.classNames?.[c] ?? String(c));
}

function sum(row: readonly number[]): number {
  return row.reduce((total, count) => total + count, 0);
}
