import { outOption } from './options/command.ts';
import type { Command } from './options/command.ts';
import { printJson } from './context.ts';

interface ReportArgs {
  run: string;
  out: string;
}

export const reportCommand: Command<ReportArgs> = {
  options: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'Name of the run, or its folder' })
      .option('out', outOption),
  run: async ({ run, out }, context) => {
    const { findRun } = await import('../folder/find.ts');
    const { rebuildReport } = await import('../folder/report/report-files.ts');
    const folder = await findRun(run, out);
    const { report, files } = await rebuildReport(folder);
    const { missingFiles } = await import('../folder/report/finished.ts');
    const gone = report.status === 'complete' ? await missingFiles(folder, report) : undefined;
    if (gone !== undefined) context.note(`warning: ${gone}\n`);
    const { reportText } = await import('../report/render/text.ts');
    const { fittedToWidth: fitted } = await import('./terminal/wrapped.ts');
    if (context.json) printJson(context, { status: report.status, files });
    else context.out(fitted(reportText(report, folder), context));
  },
};
