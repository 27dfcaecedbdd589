/** A small button with an icon and a name. It keeps its focus when it can go no further, unlike a disabled one. */
import type { VNode } from 'preact';
import { Icon, type IconName } from './icons.tsx';

type Props = {
  readonly icon: IconName;
  readonly name: string;
  readonly disabled?: boolean;
  readonly onClick: () => void;
};

export function ToolButton({ icon, name, disabled = false, onClick }: Props): VNode {
  return (
    <button
      type="button"
      class="quiet icon-only"
      aria-label={name}
      title={name}
      aria-disabled={disabled}
      onClick={() => {
        if (!disabled) onClick();
      }}
    >
      <Icon name={icon} />
    </button>
  );
}
