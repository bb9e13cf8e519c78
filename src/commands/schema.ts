import type { Command } from './options/command.ts';
import { printJson } from './context.ts';

export const schemaCommand: Command<{ of: string }> = {
  options: (yargs) =>
    yargs.option('of', {
      choices: ['recipe', 'report'],
      default: 'recipe',
      describe: 'File that the schema describes',
    }),
  run: async ({ of }, context) => {
    if (of === 'report') {
      const { reportJsonSchema } = await import('../report/schema.ts');
      printJson(context, reportJsonSchema());
      return;
    }
    const { recipeJsonSchema } = await import('../recipe/schema.ts');
    printJson(context, recipeJsonSchema());
  },
};
