import { outOption } from './options/command.ts';
import type { Command } from './options/command.ts';
import { printJson } from './context.ts';
import { textTable } from './terminal/table.ts';

interface CompareArgs {
  runs: string[];
  out: string;
}

export const compareCommand: Command<CompareArgs> = {
  options: (yargs) =>
    yargs
      .positional('runs', { type: 'string', array: true, demandOption: true, describe: 'Names of runs, or folders' })
      .option('out', outOption),
  run: async ({ runs, out }, context) => {
    const { UserError } = await import('../base/errors.ts');
    if (runs.length < 2) {
      throw new UserError(`compare: expected two runs or more, received ${runs.length}`, 'Name another run.');
    }
    const { findRun } = await import('../folder/find.ts');
    const { reportOf } = await import('../folder/report/report-files.ts');
    const { compareReports } = await import('../report/tables/compare.ts');
    const reports = [];
    for (const run of runs) reports.push(await reportOf(await findRun(run, out)));
    const names = reports.map(({ name }) => name);
    const hasTwins = new Set(names).size < names.length;
    const comparison = compareReports(reports, hasTwins ? runs : names);
    if (context.json) {
      printJson(context, comparison);
      return;
    }
    const head = ['', ...comparison.runs];
    const figures = comparison.figures.map(({ what, values }) => [what, ...values.map((value) => value ?? '-')]);
    const recipe = comparison.recipe.map(({ key, values }) => [key, ...values.map(shown)]);
    context.out(textTable([head, ...figures], context));
    context.out(
      recipe.length === 0
        ? '\nThe recipes are the same.\n'
        : `\nRecipe:\n${textTable([['key', ...comparison.runs], ...recipe], context)}`,
    );
  },
};

function shown(value: unknown): string {
  if (value === undefined) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
