import type { Command } from './options/command.ts';
import { printJson } from './context.ts';
import { textTable } from './terminal/table.ts';

type DoctorArgs = object;

export const doctorCommand: Command<DoctorArgs> = {
  options: (yargs) => yargs,
  run: async (_args, context) => {
    const { diagnose } = await import('../tools/doctor.ts');
    const found = await diagnose();
    if (context.json) {
      printJson(context, found);
      return;
    }
    const mark = (good: boolean): string => (good ? 'yes' : 'no');
    context.out(
      [
        textTable(Object.entries(found.versions).map(([name, version]) => [name, version])),
        textTable([
          ['cpu', found.machine.cpu],
          ['cores', String(found.machine.cores)],
          ['memory', `${(found.machine.memoryBytes / 2 ** 30).toFixed(1)} GiB`],
          ['engine', `${found.engine} on ${found.device}`],
        ]),
        textTable(
          [['engine', 'usable', ''], ...found.engines.map((e) => [e.name, mark(e.usable), withRemedy(e)])],
          context,
        ),
        textTable(
          [
            ['device', 'usable', ''],
            ...found.devices.map((d) => [
              d.name,
              mark(d.usable),
              d.float16 === undefined ? withRemedy(d) : `${withRemedy(d)}; float16 (precision: mixed): ${d.float16}`,
            ]),
          ],
          context,
        ),
        textTable(
          [
            ['optional package', 'here', 'for'],
            ...found.optional.map(({ name, version, use, remedy }) => [
              name,
              version === 'missing' ? 'no' : version,
              remedy === undefined ? use : `${use}. ${remedy}`,
            ]),
          ],
          context,
        ),
        found.cpuFeatures === undefined
          ? 'CPU features: this system does not tell\n'
          : textTable(
              [['CPU feature', 'here', ''], ...found.cpuFeatures.map((f) => [f.name, mark(f.present), f.why])],
              context,
            ),
        found.missing.length === 0
          ? 'nothing that Limbeck needs is missing\n'
          : `missing:\n${found.missing.map((m) => `  ${m}\n`).join('')}`,
      ].join('\n'),
    );
  },
};

function withRemedy({ reason, remedy }: { readonly reason: string; readonly remedy?: string | undefined }): string {
  return remedy === undefined ? reason : `${reason.replace(/\.$/, '')}. ${remedy}`;
}
