import type { TeacherFormat } from '../../distill/teachers/format-registry.ts';
import { locateTensorFlow } from '../../places/tensorflow/locate.ts';

/** Folders of TensorFlow, which libtensorflow runs. */
export const savedModelTeachers: TeacherFormat = {
  name: 'savedModel',
  inReports: 'saved-model',
  refuseMissing: () => void locateTensorFlow(),
};
