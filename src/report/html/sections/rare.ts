import { OnDemand } from '../../../base/on-demand.ts';
import { stepsOf } from '../../summary.ts';
import type { Report } from '../../types.ts';
import type { Content } from '../markup.ts';
import { loadDrawn } from './of-answers.ts';

/** Section of report.html that not every report has; its code is loaded for reports that have it. */
class RareSection {
  readonly #isIn: (report: Report) => boolean;
  readonly #section: OnDemand<(report: Report) => Content>;

  constructor(name: string, isIn: (report: Report) => boolean, open: () => Promise<(report: Report) => Content>) {
    this.#isIn = isIn;
    this.#section = new OnDemand(`section of ${name}`, open);
  }

  async load(report: Report): Promise<void> {
    if (this.#isIn(report)) await this.#section.load();
  }

  of(report: Report): Content {
    return this.#isIn(report) ? this.#section.module(report) : '';
  }
}

export const RARE = {
  steps: new RareSection(
    'steps',
    (report) => stepsOf(report).length > 1,
    async () => (await import('./steps.ts')).stepsSection,
  ),
  search: new RareSection(
    'the search',
    ({ search }) => search !== undefined,
    async () => (await import('./search.ts')).searchSection,
  ),
  race: new RareSection(
    'the race',
    ({ race }) => race !== undefined,
    async () => (await import('./race.ts')).raceSection,
  ),
  answerFiles: new RareSection(
    'files of answers',
    ({ models }) => models.some(({ answerFile }) => answerFile !== undefined),
    async () => (await import('./answer-files.ts')).answerFilesSection,
  ),
  streams: new RareSection(
    'streams',
    ({ models }) => models.some(({ stream }) => stream !== undefined),
    async () => (await import('./answer-files.ts')).streamsSection,
  ),
  calibration: new RareSection(
    'calibration',
    ({ models }) => models.some(({ calibration }) => calibration !== undefined),
    async () => (await import('./calibration.ts')).calibrationSection,
  ),
  examples: new RareSection(
    'examples',
    ({ examples }) => examples !== undefined,
    async () => (await import('./examples.ts')).examplesSection,
  ),
  channels: new RareSection(
    'channels',
    ({ channels = [] }) => channels.length > 0,
    async () => (await import('./channels.ts')).channelsSection,
  ),
  pruning: new RareSection(
    'pruning',
    ({ pruningSensitivity }) => pruningSensitivity !== undefined,
    async () => (await import('./pruning.ts')).pruningSection,
  ),
  quantization: new RareSection(
    'quantization',
    ({ quantizationSensitivity }) => quantizationSensitivity !== undefined,
    async () => (await import('./sensitivity.ts')).quantizationSection,
  ),
};

/** Loads the code of the sections that a report has. Before `reportHtml`. */
export async function loadSections(report: Report): Promise<void> {
  for (const section of Object.values(RARE)) await section.load(report);
  await loadDrawn(report);
}
