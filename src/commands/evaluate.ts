import { UserError } from '../base/errors.ts';
import { percent } from '../base/numbers.ts';
import type { UsualAnswers } from '../measure/usual-answers.ts';
import { setOption } from './options/command.ts';
import type { Command } from './options/command.ts';
import { printJson } from './context.ts';
import { inputOptions, inputShapes } from './options/shapes.ts';

interface EvaluateArgs {
  model: string;
  recipe: string;
  set: string[];
  split: 'train' | 'validation' | 'test' | undefined;
  usual: boolean;
  pairs: string | undefined;
  columns: string | undefined;
  queries: string | undefined;
  shape: string[];
  fix: string[];
}

const COLUMNS = 'sentence1,sentence2,score';

export const evaluateCommand: Command<EvaluateArgs> = {
  options: (yargs) =>
    yargs
      .positional('model', {
        type: 'string',
        demandOption: true,
        describe: 'ONNX, Keras or TFLite file, or model.json of tfjs',
      })
      .option('recipe', { type: 'string', demandOption: true, describe: 'Recipe whose data are used' })
      .option('set', setOption)
      .option('split', {
        choices: ['train', 'validation', 'test'] as const,
        describe: 'Part of the data [default: test]',
      })
      .options(inputOptions)
      .option('pairs', {
        type: 'string',
        describe: 'Pairs of texts with a similarity (.csv, .tsv, .jsonl, .parquet): score a model of vectors on them',
      })
      .option('columns', {
        type: 'string',
        describe: `Beside --pairs: columns of the two texts and of the similarity [default: ${COLUMNS}]`,
      })
      .option('queries', {
        type: 'string',
        describe: 'Folder as BEIR has it (corpus.jsonl, queries.jsonl, qrels/test.tsv): search with a model of vectors',
      })
      .option('usual', {
        type: 'boolean',
        default: false,
        describe: 'Write the distribution of its answers beside it, by which `limbeck serve` sees drift',
      }),
  run: async ({ model, recipe, set, usual, shape, fix, pairs, columns, queries, ...given }, context) => {
    const { split = 'test' } = given;
    refuseUnread({ pairs, columns, queries, ...given, usual, shape, fix });
    if (usual) refuseUsual(model, split);
    const { loadRunnable } = await import('../setup/runnable.ts');
    if (pairs !== undefined) {
      const { openVectorTools } = await import('./vectors.ts');
      const tools = await openVectorTools();
      const score = await tools.scorePairs(
        model,
        await loadRunnable(recipe, set),
        pairs,
        columnsOf(columns ?? COLUMNS),
      );
      if (context.json) printJson(context, score);
      else context.out(`${model}: Spearman ${percent(score.spearman, 1)} on ${score.pairs} pairs of ${pairs}\n`);
      return;
    }
    if (queries !== undefined) {
      const { openVectorTools } = await import('./vectors.ts');
      const tools = await openVectorTools();
      const score = await tools.scoreQueries(model, await loadRunnable(recipe, set), queries);
      const { withoutText: empty, documents } = score;
      if (empty > 0)
        context.note(
          `warning: ${empty} of ${documents + empty} documents of ${queries} have no text and are never found\n`,
        );
      if (context.json) printJson(context, score);
      else
        context.out(
          `${model}: nDCG@10 ${percent(score.ndcg, 1)}, recall@10 ${percent(score.recall, 1)} of ${score.queries} queries among ${score.documents} documents of ${queries}\n`,
        );
      return;
    }
    const { evaluateFile } = await import('../tools/evaluate.ts');
    const evaluated = await evaluateFile(model, await loadRunnable(recipe, set), split, inputShapes({ shape, fix }));
    const { usual: spread, form, ...result } = evaluated;
    if (usual) await writeUsual(model, spread!);
    if (context.json) {
      for (const warning of result.warnings) context.note(`warning: ${warning}\n`);
      printJson(context, result);
      return;
    }
    const { EVALUATIONS } = await import('./terminal/evaluation.ts');
    const textOf = await EVALUATIONS.load(form);
    context.out(textOf(result));
    context.note(`input: ${result.preparation}\n`);
    for (const warning of result.warnings) context.note(`warning: ${warning}\n`);
    context.out(`${model}: ${result.said}\n`);
  },
};

/** `UserError` for an option that is given and not read: pairs and queries are scored as they are, without a split of the recipe's data. */
function refuseUnread({
  pairs,
  columns,
  queries,
  split,
  usual,
  shape,
  fix,
}: Omit<EvaluateArgs, 'model' | 'recipe' | 'set'>): void {
  if (pairs === undefined && columns !== undefined)
    throw new UserError('--columns: expected --pairs beside it, received none', 'Add --pairs FILE, or leave it out.');
  const texts = pairs ?? queries;
  if (texts === undefined) return;
  const given = {
    '--split': split !== undefined,
    '--usual': usual,
    '--shape': shape.length > 0,
    '--fix': fix.length > 0,
    '--queries': pairs !== undefined && queries !== undefined,
  };
  for (const [option, isGiven] of Object.entries(given))
    if (isGiven)
      throw new UserError(
        `${option}: expected no ${pairs === undefined ? '--queries' : '--pairs'} beside it, received ${texts}`,
        'Leave one of the two out.',
      );
}

function columnsOf(columns: string): [string, string, string] {
  const names = columns.split(',').map((name) => name.trim());
  const [first, second, score] = names;
  if (names.length === 3 && first && second && score) return [first, second, score];
  throw new UserError(
    `--columns: expected two texts and a similarity, received ${columns}`,
    'For example --columns sentence1,sentence2,score.',
  );
}

function refuseUsual(model: string, split: string): void {
  if (!/\.onnx$/i.test(model)) {
    throw new UserError(
      `${model}: --usual: expected an .onnx file`,
      'Leave it out: only `limbeck serve` reads what it writes, and that serves .onnx files.',
    );
  }
  if (split === 'train') {
    throw new UserError(
      '--usual: expected --split validation or test, received train',
      'Use another split: a model is surer of the samples that it was trained on.',
    );
  }
}

async function writeUsual(model: string, usual: UsualAnswers): Promise<void> {
  const { readModelFile } = await import('../files/onnx-file.ts');
  const { writeWholeFile } = await import('../base/folders/whole-folder.ts');
  const { usualPath, usualText } = await import('../folder/usual-answers.ts');
  await writeWholeFile(usualPath(model), usualText(await readModelFile(model), usual));
}
