import { existsSync } from 'node:fs';
import type { Forecast } from '../base/events.ts';
import type { CheckedData } from '../run/check-data.ts';
import type { LoadedRecipe } from '../recipe/load.ts';
import { setOption } from './options/command.ts';
import type { Command } from './options/command.ts';
import { printJson } from './context.ts';
import type { CommandContext } from './context.ts';

interface ValidateArgs {
  recipes: string[];
  set: string[];
  data: boolean;
  all: boolean;
  fix: boolean;
  preview: string | undefined;
  forecast: boolean | undefined;
}

export const validateCommand: Command<ValidateArgs> = {
  options: (yargs) =>
    yargs
      .positional('recipes', { type: 'string', array: true, demandOption: true, describe: 'Recipe files' })
      .option('set', setOption)
      .option('data', {
        type: 'boolean',
        default: false,
        describe:
          'Read the data set too, ask the teacher about some of its samples, and, without --preview, say what a run will take',
      })
      .option('all', {
        type: 'boolean',
        default: false,
        describe: 'With --data: decode all pictures, not about a thousand of each split; the headers of all are read',
      })
      .option('fix', {
        type: 'boolean',
        default: false,
        describe: 'Change the files as the checks propose; prints the changes first, keeps comments',
      })
      .option('forecast', {
        type: 'boolean',
        describe:
          'Time some steps of each training to say what a run will take [default: with --data, without --preview]',
      })
      .option('preview', {
        type: 'string',
        describe:
          'PNG file to write: some pictures of train after augmentation, with boxes, masks or points; reads the data set',
      }),
  run: async ({ recipes, set, data, all, fix, preview, forecast: isAsked }, context) => {
    const { loadRunnable } = await import('../setup/runnable.ts');
    const resolved = [];
    for (const file of recipes) {
      const isRead = data || all || preview !== undefined || isAsked === true;
      const isForecast = isAsked ?? preview === undefined;
      const fixed = fix ? await fixedFile(file, { set, data: isRead, isWhole: all, isForecast }, context) : undefined;
      const { recipe } = fixed?.loaded ?? (await loadRunnable(file, set, { isThere: existsSync }));
      let found = '';
      let forecast: Forecast | undefined;
      if (isRead) {
        const { checkData } = await import('../run/check-data.ts');
        const checked = fixed?.checked ?? (await checkData(recipe, { isWhole: all, isForecast }));
        found = await saidOf(checked);
        forecast = checked.forecast;
        for (const warning of checked.warnings) context.note(`${file}: warning: ${warning}\n`);
        if (preview !== undefined) {
          const { writePreview } = await import('../tools/preview.ts');
          await writePreview(preview, checked.seen.train, recipe);
          found += `\n  ${preview}: pictures of train after augmentation`;
        }
      }
      if (!context.json) context.out(`${file}: right${found}\n`);
      resolved.push({ file, recipe, ...(forecast && { forecast }) });
    }
    if (context.json) printJson(context, resolved);
  },
};

async function saidOf({
  data: { train, validation, test, classNames },
  messages,
  forecast,
}: CheckedData): Promise<string> {
  const { taskRow } = await import('../recipe/task.ts');
  const { answerForms } = await import('../recipe/answer-forms.ts');
  const [one, several] = answerForms.get(taskRow(train.task).form).words;
  // The numbers of a vector have no names.
  const answers = classNames.length === 0 ? '' : `, ${classNames.length} ${classNames.length === 1 ? one : several}`;
  const counts = `: ${train.count} train, ${validation.count} validation, ${test?.count ?? 0} test${answers}`;
  const { forecastText } = await import('../run/forecast.ts');
  const lines = [...messages, ...(forecast === undefined ? [] : [forecastText(forecast)])];
  return counts + lines.map((line) => `\n  ${line}`).join('');
}

/** Shows and writes the changes that the checks of a recipe propose. `UserError` if something is still wrong. */
async function fixedFile(
  file: string,
  options: {
    readonly set: readonly string[];
    readonly data: boolean;
    readonly isWhole: boolean;
    readonly isForecast: boolean;
  },
  context: CommandContext,
): Promise<{ readonly loaded: LoadedRecipe; readonly checked?: CheckedData }> {
  const { readUtf8 } = await import('../base/files.ts');
  const { writeWholeFile } = await import('../base/folders/whole-folder.ts');
  const { refuseModelFile } = await import('../recipe/load.ts');
  const { fixedRecipe } = await import('../run/fixed-recipe.ts');
  const { shownDiff } = await import('./terminal/diff.ts');
  refuseModelFile(file);
  const before = await readUtf8(file);
  const { text, changes, failure, loaded, checked } = await fixedRecipe(before, file, options);
  if (text !== before) {
    context.note(shownDiff(before, text, file, context));
    await writeWholeFile(file, text);
    context.note(`${file}: ${changes.length === 1 ? 'one change' : `${changes.length} changes`} written\n`);
  }
  if (failure !== undefined) throw failure;
  return { loaded: loaded!, ...(checked && { checked }) };
}
