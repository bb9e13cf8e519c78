import type { PipelineForm } from '../../consumers/transformers/config.ts';

export const transformers: PipelineForm = { texts: 'feature-extraction', pictures: 'image-feature-extraction' };
