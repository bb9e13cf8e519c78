import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { prepareFolder, refuseForeignFolder, removeUnbegun, storedRecipe } from '../../src/folder/folder.ts';
import { Ledger } from '../../src/folder/states/ledger.ts';
import { parseRecipe } from '../../src/recipe/load.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();
const recipe = (...set: string[]) =>
  parseRecipe('dataset: {type: csv, train: data/d.csv}\nstudent: {model: mlp}\n', '/project/r.yaml', { set });

/** A run that has something to lose. */
async function begun(): Promise<void> {
  await prepareFolder(folder(), recipe(), 'ask');
  await mkdir(path.join(folder(), 'state'));
}

describe('the folder of a run', () => {
  it('keeps the recipe, its file names as written, and gives it back with absolute ones', async () => {
    expect((await prepareFolder(folder(), recipe(), 'ask')).resumed).toBe(false);
    const text = await readFile(path.join(folder(), 'recipe.json'), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ base: '/project', recipe: { dataset: { train: 'data/d.csv' } } });
    expect(await storedRecipe(folder())).toEqual(recipe());
  });

  it('loses what a killed process left half written, and nothing else', async () => {
    await begun();
    const names = ['.distilled.onnx.0123456789ab.tmp', '.mine.tmp', 'distilled.onnx'];
    await mkdir(path.join(folder(), 'exports'));
    for (const name of names) await writeFile(path.join(folder(), 'exports', name), 'half');
    await prepareFolder(folder(), recipe(), 'ask');
    expect((await readdir(path.join(folder(), 'exports'))).sort()).toEqual(['.mine.tmp', 'distilled.onnx']);
  });

  it('finds its files after it was moved: with its project, alone, and from an older version', async () => {
    const project = path.join(folder(), 'moved');
    await mkdir(path.join(project, 'data'), { recursive: true });
    await writeFile(path.join(project, 'data/d.csv'), '');
    const file = path.join(project, 'runs/r/recipe.json');
    await mkdir(path.dirname(file), { recursive: true });
    const write = (places: object) => writeFile(file, JSON.stringify({ ...places, recipe: recipe().written }));
    const base = async () => (await storedRecipe(path.dirname(file))).base;
    await write({ base: '/gone', baseFromHere: '../..' });
    expect(await base()).toBe(project);
    await write({ base: project, baseFromHere: '../../gone' });
    expect(await base()).toBe(project);
    await write({ base: project });
    expect(await base()).toBe(project);
  });

  it.each([
    ['cut short', '{"base": "/pro'],
    ['another file', 'null'],
    ['gone', undefined],
  ])('with a recipe.json that is %s goes on with the recipe that it is given', async (_name, text) => {
    await begun();
    const file = path.join(folder(), 'recipe.json');
    if (text === undefined) await rm(file);
    else await writeFile(file, text);
    const { loaded, resumed, left } = await prepareFolder(folder(), recipe(), 'ask');
    expect([loaded, resumed]).toEqual([recipe(), true]);
    expect(left).toMatch(
      /recipe\.json: damaged or gone: going on with the recipe that is given, and whether the run began with it is unknown/,
    );
    expect(await storedRecipe(folder())).toEqual(recipe());
  });

  it('without a recipe.json refuses a recipe that is not the one in its ledger', async () => {
    await begun();
    await rm(path.join(folder(), 'recipe.json'));
    const ledger = await Ledger.open(folder(), () => undefined);
    await ledger.add({ stage: 'data', seconds: 1, figures: {}, notes: { recipe: recipe().written } });
    const other = prepareFolder(folder(), recipe('distill.batchSize=64'), 'ask');
    await expect(other).rejects.toThrow(/has changed:\n {2}distill\.batchSize: 128 -> 64/);
    await expect(refuseForeignFolder(folder())).resolves.toBeUndefined();
    const { left } = await prepareFolder(folder(), recipe(), 'ask');
    expect(left).toMatch(/going on with the recipe that is given$/);
  });

  it('asks when the recipe of a search has changed', async () => {
    await prepareFolder(folder(), recipe(), 'ask');
    await mkdir(path.join(folder(), 'search'));
    await expect(prepareFolder(folder(), recipe('distill.batchSize=64'), 'ask')).rejects.toThrow(/has changed/);
  });

  it.each([
    ['of another version', JSON.stringify({ base: '/project', recipe: { ...recipe().written, colour: 'red' } })],
  ])('with a recipe.json that is %s says how to start again', async (_name, text) => {
    await begun();
    await writeFile(path.join(folder(), 'recipe.json'), text);
    await expect(prepareFolder(folder(), recipe(), 'ask')).rejects.toMatchObject({
      message: expect.stringMatching(/recipe\.json: colour: unknown key/) as string,
      hint: expect.stringContaining('--fresh') as string,
    });
    expect((await prepareFolder(folder(), recipe(), 'fresh')).resumed).toBe(false);
  });

  it('is resumed by the same recipe', async () => {
    await prepareFolder(folder(), recipe(), 'ask');
    expect(await prepareFolder(folder(), recipe(), 'ask')).toEqual({ loaded: recipe(), resumed: true, moves: [] });
  });

  it('refuses processes that share batches of a loss that compares their samples, before anything is read', async () => {
    const across = parseRecipe(
      'dataset: {type: csv, train: d.csv}\nteacher: {onnx: t.onnx}\nstudent: {model: mlp}\ndistill: {loss: dist}\n',
      '/project/r.yaml',
    );
    await expect(prepareFolder(folder(), across, 'ask', {}, 8)).rejects.toMatchObject({
      message: expect.stringMatching(/distill\.loss: expected a loss that is a sum over samples/) as string,
      hint: expect.stringContaining('mpirun') as string,
    });
    await expect(prepareFolder(folder(), across, 'ask')).resolves.toMatchObject({ resumed: false });
  });

  it('takes a changed recipe without asking as long as nothing was done', async () => {
    await prepareFolder(folder(), recipe(), 'ask');
    const { loaded } = await prepareFolder(folder(), recipe('distill.batchSize=64'), 'ask');
    expect(loaded.recipe.distill).toMatchObject({ batchSize: 64 });
  });

  it('asks when the recipe has changed, says what, and changes nothing', async () => {
    await begun();
    const before = await readFile(path.join(folder(), 'recipe.json'));
    const attempt = prepareFolder(folder(), recipe('distill.batchSize=64'), 'ask');
    await expect(attempt).rejects.toThrow(/has changed:\n {2}distill\.batchSize: 128 -> 64/);
    await expect(attempt).rejects.toMatchObject({ hint: expect.stringMatching(/--fresh .* --resume/) as string });
    expect(await readFile(path.join(folder(), 'recipe.json'))).toEqual(before);
  });

  it('follows the recipe it began with after --resume', async () => {
    await begun();
    const { loaded, resumed, left } = await prepareFolder(folder(), recipe('distill.batchSize=64'), 'resume');
    expect(left).toMatch(/the recipe that the run began with, without distill\.batchSize: 128 -> 64$/);
    expect([loaded.recipe.distill, resumed]).toMatchObject([{ batchSize: 128 }, true]);
  });

  it('goes on with another engine and device, and remembers that it did', async () => {
    await begun();
    const first = await prepareFolder(folder(), recipe('engine=tensorflow', 'threads=2'), 'ask');
    expect(first.loaded.recipe).toMatchObject({ engine: 'tensorflow', threads: 2 });
    expect(first.moved).toMatch(
      /engine: "auto" -> "tensorflow", threads: 0 -> 2: its results come from several engines/,
    );
    const second = await prepareFolder(folder(), recipe('distill.batchSize=64'), 'resume', { device: 'cpu' });
    expect(second.loaded.recipe).toMatchObject({ engine: 'tensorflow', device: 'cpu', distill: {} });
    expect(second.loaded.recipe.distill).toMatchObject({ batchSize: 128 });
    expect(second.moves).toEqual([first.moved, second.moved]);
    const third = await prepareFolder(folder(), second.loaded, 'ask');
    expect(third).toMatchObject({ resumed: true, moves: second.moves });
    expect(third).not.toHaveProperty('moved');
    expect((await prepareFolder(folder(), recipe(), 'fresh')).moves).toEqual([]);
  });

  it('goes on with another number of jobs, which is no other place', async () => {
    await begun();
    const { loaded, moves } = await prepareFolder(folder(), recipe('jobs=4'), 'ask');
    expect([loaded.recipe.jobs, moves]).toEqual([4, []]);
  });

  it('refuses what else has changed, beside another engine', async () => {
    await begun();
    const attempt = prepareFolder(folder(), recipe('engine=tensorflow', 'distill.batchSize=64'), 'ask');
    await expect(attempt).rejects.toThrow(/has changed:\n {2}distill\.batchSize: 128 -> 64$/);
  });

  it('has the earlier run aside for --fresh, and holds it again at the next start if nothing came of the new one', async () => {
    await begun();
    await writeFile(path.join(folder(), 'state/distill-000001.safetensors'), '');
    const { loaded, resumed } = await prepareFolder(folder(), recipe('distill.batchSize=64'), 'fresh');
    expect([loaded.recipe.distill, resumed]).toMatchObject([{ batchSize: 64 }, false]);
    expect(await readdir(path.join(folder(), 'state'))).toEqual([]);
    await expect(prepareFolder(folder(), recipe('distill.batchSize=64'), 'ask')).rejects.toThrow(/has changed/);
    expect(await readdir(path.join(folder(), 'state'))).toEqual(['distill-000001.safetensors']);
    expect(await readdir(folder())).toEqual(['recipe.json', 'state']);
  });

  it('is refused when it holds something else', async () => {
    await expect(refuseForeignFolder(path.join(folder(), 'new'))).resolves.toBeUndefined();
    await expect(refuseForeignFolder(folder())).resolves.toBeUndefined();
    await writeFile(path.join(folder(), 'thesis.tex'), '');
    await expect(refuseForeignFolder(folder())).rejects.toThrow(/this folder is not a run: it holds \["thesis\.tex"\]/);
    await expect(refuseForeignFolder(path.join(folder(), 'thesis.tex'))).rejects.toThrow(/expected a folder/);
  });

  it('is removed with what it lies in where a start could not even keep its recipe', async () => {
    const made = path.join(folder(), 'checkpoints');
    const [run, other] = [path.join(made, 'a'), path.join(made, 'b')];
    await mkdir(run, { recursive: true });
    await writeFile(path.join(run, 'log.jsonl'), '');
    await writeFile(path.join(run, 'recipe.json'), '{}');
    await mkdir(other);
    await removeUnbegun(run, made);
    expect(await readdir(made)).toEqual(['b']);
    await writeFile(path.join(other, 'ledger.json'), '{}');
    await removeUnbegun(other, made);
    expect(await readdir(other)).toEqual(['ledger.json']);
    await removeUnbegun(path.join(other, 'ledger.json/c'), path.join(other, 'ledger.json/c'));
    expect(await readdir(other)).toEqual(['ledger.json']);
    await rm(path.join(other, 'ledger.json'));
    await removeUnbegun(other, made);
    expect(await readdir(folder())).toEqual([]);
  });

  it('says that it is not a run when asked for its recipe', async () => {
    await expect(storedRecipe(folder())).rejects.toThrow(/not a run/);
    await writeFile(path.join(folder(), 'recipe.json'), '{');
    await expect(storedRecipe(folder())).rejects.toThrow(/damaged/);
  });
});
