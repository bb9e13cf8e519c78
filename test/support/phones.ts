import type { SampleContext } from '../../src/ship/kit/platforms.ts';
import { kitSamples } from '../../src/ship/kit/platforms.ts';
import { loadKit } from '../../src/ship/kit/forms.ts';

/** Files of the samples for phones, by their platforms and names: `android/Classifier.kt`. */
export async function phoneSamples(form = 'classes', isText = false): Promise<Readonly<Record<string, string>>> {
  const kit = await loadKit(form);
  const fields = Array.from({ length: kit.outputs ?? 1 }, () => ({ name: 'y', shape: [2] }));
  const data = { sampleShape: [2], ...(isText && { text: {} }) } as unknown as SampleContext['data'];
  const formats = new Set(['tflite']);
  const { made } = await kitSamples({ form, kit, task: { name: form, fields }, data, formats, isSound: false });
  const apps = made.filter(({ platform }) => platform.starts === undefined);
  const files = apps.flatMap(({ platform, files: own }) =>
    Object.entries(own).map(([name, text]) => [`${platform.name}/${name}`, text] as const),
  );
  return Object.fromEntries(files);
}
