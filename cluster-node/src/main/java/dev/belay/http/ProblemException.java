package dev.belay.http;

/** Carries a problem from where it is noticed to the one place that answers with it. */
final class ProblemException extends RuntimeException {
    private final transient Problem problem;

    ProblemException(Problem problem) {
        // No stack trace: these are answers to wrong requests, not faults of ours.
        super(problem.detail(), null, false, false);
        this.problem = problem;
    }

    ProblemException(Problem.Code code, String detail, String hint) {
        this(new Problem(code, detail, hint));
    }

    Problem problem() {
        return problem;
    }
}
