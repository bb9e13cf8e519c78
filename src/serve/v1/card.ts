import path from 'node:path';
import { finishedReport } from '../../folder/report/finished.ts';
import { rowScore, scoreOf } from '../../report/score.ts';
import { commonLatency, sameClass, settingOf, scoredSplit, teacherModel } from '../../report/summary.ts';
import type { LatencyRow, ModelRow, Report } from '../../report/types.ts';
import type { ServedModel } from '../model.ts';
import { modelMetadata } from '../v2/describe.ts';
import { describedBy } from './preparation.ts';

/** `GET /v1/M/card`: all that is known of a model, for people. */
export async function cardOf(model: ServedModel): Promise<object> {
  const { name, sha256, sizeBytes, weights, facts, maxBatch, cost, metadata } = model;
  const { inputs, outputs } = modelMetadata(model);
  const row = await rowOf(model);
  const recipe = metadata.get('recipe');
  return {
    name,
    sha256,
    sizeBytes,
    params: row?.model.params ?? weights.params,
    precision: row?.model.precision ?? SHORT[weights.precision] ?? weights.precision,
    inputs,
    outputs,
    described: describedBy(model),
    batching: facts.batching.kind,
    ...(facts.exact !== undefined && { exact: facts.exact }),
    maxBatch,
    fixedMs: cost.cost.fixed,
    perSampleMs: cost.cost.perSample,
    notes: facts.notes,
    ...(recipe !== undefined && { recipe }),
    ...(row !== undefined && { report: figuresOf(row) }),
  };
}

const SHORT: Readonly<Record<string, string>> = { float32: 'fp32', float16: 'fp16' };

interface Row {
  readonly report: Report;
  readonly model: ModelRow;
}

const found = new WeakMap<ServedModel, Promise<Row | undefined>>();

/** The model's row in the report of the run that its file lies in, in the folder itself or in `exports`. */
function rowOf(model: ServedModel): Promise<Row | undefined> {
  let row = found.get(model);
  if (row === undefined) found.set(model, (row = readRow(path.resolve(model.file), model.sizeBytes)));
  return row;
}

async function readRow(file: string, sizeBytes: number): Promise<Row | undefined> {
  for (const folder of [path.dirname(file), path.dirname(path.dirname(file))]) {
    const report = await finishedReport(folder);
    if (report === undefined) continue;
    const name = path.relative(folder, file).split(path.sep).join('/');
    // A file that was replaced since is another one.
    const model = report.models.find((one) => one.file === name && one.sizeBytes === sizeBytes);
    if (model !== undefined) return { report, model };
  }
  return undefined;
}

function figuresOf({ report, model }: Row) {
  const { verdict, machine, dataset, score } = report;
  const teacher = teacherModel(report);
  const beside = teacher === undefined || teacher === model ? undefined : commonLatency(model, teacher);
  const latency = beside?.[0] ?? model.latency[0];
  return {
    run: report.name,
    id: model.id,
    role: model.model.role,
    macs: model.macs,
    score,
    scored: valueOf(model, report),
    split: scoredSplit(model),
    cpu: machine.cpu,
    dataset: dataset.type,
    ...(latency !== undefined && { latency: timed(latency) }),
    ...(teacher !== undefined &&
      teacher !== model && {
        teacher: {
          scored: valueOf(teacher, report),
          sizeBytes: teacher.sizeBytes,
          ...(beside !== undefined && { latency: timed(beside[1]) }),
        },
      }),
    ...(model.agreement !== undefined && { sameAsTeacher: sameClass(model.agreement) }),
    ...(verdict !== undefined && { verdict: verdict.result }),
  };
}

/** The score of a model, in words too: `93.40 %` or `54.2`. */
function valueOf(model: ModelRow, report: Report): { readonly value: number; readonly text: string } | null {
  const value = rowScore(model);
  return value === null ? null : { value, text: scoreOf(report).text(value) };
}

function timed(row: LatencyRow) {
  return { p50Ms: row.p50Ms, p95Ms: row.p95Ms, setting: settingOf(row) };
}
