package dev.belay.replica;

import dev.belay.model.VmName;
import java.util.Optional;

/**
 * What lockstep costs a VM, as the server measures it on which it runs first. Totals count since
 * that server's node process has watched the pair.
 *
 * @param checkpoints how many the guest has passed
 * @param diverged how many of them came early, because the two copies said different things
 * @param pausedMillis how long they paused the guest, together
 * @param sentBytes what went to the second server for them; empty while that is not known
 * @param perSecond checkpoints lately
 * @param pauseMillis the typical pause lately
 * @param longestPauseMillis the longest lately
 * @param bytesPerCheckpoint lately
 * @param delayMillis how long it is from one to the next now when nothing asks for one
 * @param budgetMillis what that shall not exceed
 */
public record LockstepFigures(
        VmName vm,
        long checkpoints,
        long diverged,
        long pausedMillis,
        Optional<Long> sentBytes,
        double perSecond,
        long pauseMillis,
        long longestPauseMillis,
        Optional<Long> bytesPerCheckpoint,
        long delayMillis,
        long budgetMillis) {
    /** With newer totals. */
    public LockstepFigures counting(long newCheckpoints, long newDiverged, long newPausedMillis) {
        return new LockstepFigures(
                vm,
                newCheckpoints,
                newDiverged,
                newPausedMillis,
                sentBytes,
                perSecond,
                pauseMillis,
                longestPauseMillis,
                bytesPerCheckpoint,
                delayMillis,
                budgetMillis);
    }
}
