import { buildTools } from '../../hack/tools/build.ts';
import { Progress } from '../progress.ts';

/** Builds the Go programs that are missing. @throws LocalError */
export const tools = async (): Promise<number> => {
  const progress = new Progress();
  progress.step('tools');
  try {
    await buildTools((text) => progress.detail(text));
    progress.done();
    return 0;
  } catch (error) {
    progress.failed();
    throw error;
  }
};
