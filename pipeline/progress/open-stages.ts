import type { ProgressEvent, StageName, StageProgress } from '../events.js';

export type OpenStage = {
  readonly title: string;
  readonly reused: boolean;
  readonly progress?: StageProgress | undefined;
};

/** The stages that are under way, as events tell: several at a time where something is done beside something else. */
export type OpenStages = {
  /** Gives the stage that the event is about. */
  readonly follow: (event: ProgressEvent) => OpenStage | undefined;
  /** The one to show where there is room for one: the first that tells how far it is, else the last that began. */
  readonly shown: () => OpenStage | undefined;
};

export function openStages(titleOf: (title: string) => string): OpenStages {
  const open = new Map<StageName, OpenStage>();
  return {
    follow(event) {
      if (event.type === 'stage.start') {
        const stage = { title: titleOf(event.title), reused: event.reused === true };
        open.set(event.stage, stage);
        return stage;
      }
      if (event.type !== 'stage.progress' && event.type !== 'stage.done') return undefined;
      const stage = open.get(event.stage);
      if (event.type === 'stage.done') open.delete(event.stage);
      else if (stage) open.set(event.stage, { ...stage, progress: event });
      return stage;
    },
    shown() {
      const stages = [...open.values()].filter(({ reused }) => !reused);
      return stages.find(({ progress }) => progress) ?? stages.at(-1);
    },
  };
}
