import type { AppFolder } from '../../commands/options/consumers.ts';

export const appFolder: AppFolder = {
  describe: 'Folder to write: a wake word, opened by micro_wake_word of ESPHome; needs --recordings',
  options: {
    recordings: { type: 'string', describe: 'ESPHome: folder of WAV files without the wake word, minutes or hours' },
    'false-accepts': { type: 'number', default: 0.5, describe: 'ESPHome: most false accepts per hour of recordings' },
    word: { type: 'string', describe: 'ESPHome: class of the wake word [default: word]' },
    phrase: { type: 'string', describe: 'ESPHome: the wake word in words [default: the name of its class]' },
    language: { type: 'string', array: true, describe: 'ESPHome: languages of the wake word, such as en' },
  },
  write: async (run, folder, options) => {
    const { writeEsphomeFolder } = await import('./folder.ts');
    return { written: await writeEsphomeFolder(run, folder, options), opens: 'micro_wake_word' };
  },
};
