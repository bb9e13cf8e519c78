import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { temporaryFolder } from '../support/folder.ts';
import { inProcess } from '../support/in-process.ts';
import { SIDE, stripedPictures, stripesTeacher } from '../support/stripes.ts';
import { writeData } from '../support/tiny.ts';

const folder = temporaryFolder();
const file = (name: string): string => path.join(folder(), name);

describe('limbeck validate --fix', () => {
  it('shows and writes what was meant, keeps comments, and says what is left', async () => {
    await writeData(folder());
    const text = [
      'dataset: { type: cvs, train: data.csv } # the data',
      'student: { model: mpl }',
      'distill:',
      '  epoch: 2 # few',
      '',
    ].join('\n');
    await writeFile(file('r.yaml'), text);
    const { code, stdout, stderr } = await inProcess(folder(), 'validate', '--fix', 'r.yaml');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      `--- r.yaml
+++ r.yaml
@@ -1,4 +1,4 @@
-dataset: { type: cvs, train: data.csv } # the data
-student: { model: mpl }
+dataset: { type: csv, train: data.csv } # the data
+student: { model: mlp }
 distill:
-  epoch: 2 # few
+  epochs: 2 # few
r.yaml: 3 changes written
r.yaml: right
`,
    );
    expect(await readFile(file('r.yaml'), 'utf8')).toContain('  epochs: 2 # few\n');
    await writeFile(file('r.yaml'), text.replace('data.csv', 'gone.csv'));
    const left = await inProcess(folder(), 'validate', '--fix', 'r.yaml');
    expect(left).toMatchObject({ code: 1, stderr: expect.stringMatching(/gone\.csv/) as string });
    expect(await readFile(file('r.yaml'), 'utf8')).toContain('type: csv, train: gone.csv');
  });

  it('leaves a right recipe, and mistakes of --set', async () => {
    await writeData(folder());
    const text = 'dataset: { type: csv, train: data.csv }\nstudent: { model: mlp }\n';
    await writeFile(file('r.yaml'), text);
    expect(await inProcess(folder(), 'validate', '--fix', 'r.yaml')).toMatchObject({
      code: 0,
      stdout: 'r.yaml: right\n',
    });
    expect(await inProcess(folder(), 'validate', '--fix', 'r.yaml', '--set', 'distill.epoch=2')).toMatchObject({
      code: 1,
      stdout: '',
    });
    expect(await readFile(file('r.yaml'), 'utf8')).toBe(text);
  });

  it('with --data, finds size, channels and normalization of a teacher of pictures', async () => {
    await stripedPictures(file('data'), 60);
    await writeFile(file('t.onnx'), stripesTeacher(3));
    const recipe = [
      'dataset: { type: image-folder, train: data, resize: [12, 12], validation: 0.5 }',
      'teacher: # of colours',
      '  onnx: t.onnx # exported',
      'student: { model: mlp }',
      '',
    ];
    await writeFile(file('r.yaml'), recipe.join('\n'));
    const { code, stdout, stderr } = await inProcess(folder(), 'validate', '--data', '--fix', 'r.yaml');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/teacher t\.onnx: right on 100\.00 %/);
    expect(await readFile(file('r.yaml'), 'utf8')).toBe(
      recipe.toSpliced(3, 0, `  resize: [${SIDE}, ${SIDE}]`, '  channels: 3').join('\n'),
    );
  });
});

describe('limbeck validate --data --preview', () => {
  it('writes the picture without timing a training, unless --forecast asks for it', async () => {
    await stripedPictures(file('data'), 60);
    const recipe =
      'dataset: { type: image-folder, train: data, resize: [12, 12], validation: 0.5 }\nstudent: { model: mlp }\n';
    await writeFile(file('r.yaml'), recipe);
    const said = async (...more: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await inProcess(folder(), 'validate', 'r.yaml', '--data', ...more);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return stdout;
    };
    const drawn = await said('--preview', 'p.png');
    expect(drawn).toContain('p.png: pictures of train after augmentation');
    expect(drawn).not.toContain('forecast');
    expect(await said('--preview', 'p.png', '--forecast')).toMatch(/forecast: .* \(1 training .*p\.png/s);
    expect(await said()).toContain('forecast: ');
  });
});
