import { type Checkpoint, CheckpointStore } from '../../../gateway/runtime/checkpoint.ts';

/** The checkpoints of a process that may die: what it would have written afterwards, it does not. */
export class MortalCheckpointStore extends CheckpointStore {
  #dead = false;
  #writing: Promise<void> = Promise.resolve();

  override write(checkpoint: Checkpoint): Promise<void> {
    if (this.#dead) return new Promise(() => undefined);
    this.#writing = super.write(checkpoint);
    return this.#writing;
  }

  /** Resolves when what was being written at the moment of death is on the disk. */
  die(): Promise<void> {
    this.#dead = true;
    return this.#writing;
  }
}
