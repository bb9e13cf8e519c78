import { existsSync } from 'node:fs';
import { setOption } from './options/command.ts';
import type { Command } from './options/command.ts';
import { printJson } from './context.ts';

interface ValidateArgs {
  recipes: string[];
  set: string[];
  data: boolean;
  preview: string | undefined;
}

export const validateCommand: Command<ValidateArgs> = {
  name: 'validate <recipes..>',
  summary: 'Check recipes and that the files they name are there, without running them',
  options: (yargs) =>
    yargs
      .positional('recipes', { type: 'string', array: true, demandOption: true, describe: 'Recipe files' })
      .option('set', setOption)
      .option('data', {
        type: 'boolean',
        default: false,
        describe: 'Read the data set too, and ask the teacher about some of its samples',
      })
      .option('preview', {
        type: 'string',
        describe:
          'PNG file to write: some pictures of train after augmentation, with boxes or masks; reads the data set',
      }),
  run: async ({ recipes, set, data, preview }, context) => {
    const { loadRunnable } = await import('../setup/runnable.ts');
    const resolved = [];
    for (const file of recipes) {
      const { recipe } = await loadRunnable(file, set, { isThere: existsSync });
      let found = '';
      if (data || preview !== undefined) {
        const { checkData } = await import('../run/check-data.ts');
        const { taskRow } = await import('../recipe/task.ts');
        const { ANSWER_WORDS } = await import('../tasks/answer-form.ts');
        const { data: read, messages, warnings } = await checkData(recipe);
        const { train, validation, test, classNames } = read;
        const [one, several] = ANSWER_WORDS[taskRow(train.task).form];
        const answers = `${classNames.length} ${classNames.length === 1 ? one : several}`;
        found = `: ${train.count} train, ${validation.count} validation, ${test?.count ?? 0} test, ${answers}`;
        found += messages.map((message) => `\n  ${message}`).join('');
        for (const warning of warnings) context.note(`${file}: warning: ${warning}\n`);
        if (preview !== undefined) {
          const { writePreview } = await import('../tools/preview.ts');
          await writePreview(preview, train, recipe);
          found += `\n  ${preview}: pictures of train after augmentation`;
        }
      }
      if (!context.json) context.out(`${file}: right${found}\n`);
      resolved.push({ file, recipe });
    }
    if (context.json) printJson(context, resolved);
  },
};
