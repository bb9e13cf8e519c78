import type { Alarm, AlarmScore } from './alarms.ts';

interface Part extends AlarmScore {
  readonly clips: number;
  readonly hours: number;
  readonly atMostPerHour: number;
  readonly curve: readonly (Alarm & AlarmScore)[];
}

/** Contents of `alarms.json`. */
export interface Alarms {
  readonly promisedFalseAcceptsPerHour: number;
  /** Milliseconds of sound in a hop. */
  readonly milliseconds: number;
  readonly likeness: { readonly sqnrDb: number | null; readonly largestError: number; readonly windows: number };
  readonly validation: Part;
  readonly test: Part;
}

interface Settings {
  readonly probability_cutoff: number;
  readonly sliding_window_size: number;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** README.md of the folder: its use, and the scores that `alarms.json` has. */
export function alarmsReadme(name: string, phrase: string, alarms: Alarms, settings: Settings): string {
  const { validation, test, milliseconds, likeness } = alarms;
  const rows = test.curve.map((score, i) => {
    const chosen = validation.curve[i]!;
    return `| ${score.cutoff} | ${percent(chosen.recall)} | ${chosen.falseAcceptsPerHour.toFixed(1)} | ${percent(score.recall)} | ${score.falseAcceptsPerHour.toFixed(1)} |`;
  });
  const db = likeness.sqnrDb === null ? '' : `, ${likeness.sqnrDb.toFixed(1)} dB`;
  return `# ${phrase}

A wake word for \`micro_wake_word\` of ESPHome. Copy \`${name}.tflite\` and \`${name}.json\` beside the configuration of the device:

\`\`\`yaml
micro_wake_word:
  models:
    - model: ${name}.json
\`\`\`

It answers every ${milliseconds} ms. The device hears the word where the mean of ${settings.sliding_window_size} probabilities exceeds
${settings.probability_cutoff}: chosen on ${validation.clips} clips and ${validation.hours.toFixed(2)} hours of recordings for at most
${alarms.promisedFalseAcceptsPerHour} false accepts per hour, and judged on ${test.clips} other clips and ${test.hours.toFixed(2)} other hours:
${percent(test.recall)} of the clips were heard, with ${test.falseAccepts} false accepts, so that more than ${test.atMostPerHour.toFixed(1)} an hour are unlikely (95 %).

| cutoff | recall, validation | false accepts per hour, validation | recall, test | false accepts per hour, test |
| -----: | -----------------: | ---------------------------------: | -----------: | ---------------------------: |
${rows.join('\n')}

Probabilities differ from those of the float32 model by at most ${likeness.largestError.toFixed(3)}${db} on ${likeness.windows} windows, hop by hop.
`;
}
