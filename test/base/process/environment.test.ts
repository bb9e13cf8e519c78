import { prepareTensorFlow } from '../../../src/base/process/environment.ts';

const NAMES = ['TF_CPP_MIN_LOG_LEVEL', 'TF_FORCE_GPU_ALLOW_GROWTH', 'TF_NUM_INTRAOP_THREADS', 'CUDA_VISIBLE_DEVICES'];
const set = () => NAMES.map((name) => process.env[name]);

let before: NodeJS.ProcessEnv;
beforeEach(() => {
  before = { ...process.env };
  for (const name of NAMES) Reflect.deleteProperty(process.env, name);
});
afterEach(() => {
  for (const name of NAMES) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, before);
});

describe('what libtensorflow is told', () => {
  it('is to be quiet, and to take memory of the GPU as it is needed', () => {
    prepareTensorFlow();
    expect(set()).toEqual(['1', 'true', undefined, undefined]);
  });

  it('is how many threads to use, and to see no GPU for the cpu', () => {
    prepareTensorFlow({ threads: 3, gpu: false });
    expect(set()).toEqual(['1', 'true', '3', '-1']);
  });

  it('leaves your own settings as they are', () => {
    const own = ['0', 'false', '7', '1'];
    NAMES.forEach((name, i) => (process.env[name] = own[i]));
    prepareTensorFlow({ threads: 3 });
    expect(set()).toEqual(own);
  });
});
