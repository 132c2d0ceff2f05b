package io.sfumato.diffusion;

import static io.sfumato.diffusion.StepOptions.Kind.CHURN;
import static io.sfumato.diffusion.StepOptions.Kind.CLIPPED_OUTPUT;
import static io.sfumato.diffusion.StepOptions.Kind.ETA;
import static io.sfumato.diffusion.StepOptions.Kind.ORDER;
import static io.sfumato.diffusion.Steps.Kind.COUNT;
import static io.sfumato.diffusion.Steps.Kind.SIGMAS;
import static io.sfumato.diffusion.Steps.Kind.TIMESTEPS;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The schedulers of diffusers that there are: how each is laid out, and what its class takes. */
enum SchedulerClass {
    DDPM("DDPMScheduler", Ddpm::plan, Betas.DDPM, Schedules.NONE, EnumSet.of(COUNT, TIMESTEPS)),
    DDIM("DDIMScheduler", Ddim::plan, Betas.ZERO_SNR, Schedules.NONE, EnumSet.of(COUNT), ETA, CLIPPED_OUTPUT),
    PNDM("PNDMScheduler", Pndm::plan, Betas.PLAIN, Schedules.NONE, EnumSet.of(COUNT)),
    EULER("EulerDiscreteScheduler", Euler::plan, Betas.NEARLY_ZERO_SNR, Schedules.COMMON, EnumSet.allOf(Steps.Kind.class), CHURN),
    EULER_ANCESTRAL("EulerAncestralDiscreteScheduler", EulerAncestral::plan, Betas.NEARLY_ZERO_SNR, Schedules.NONE, EnumSet.of(COUNT)),
    HEUN("HeunDiscreteScheduler", Heun::plan, Betas.HEUN, Schedules.COMMON, EnumSet.of(COUNT, TIMESTEPS)),
    LMS("LMSDiscreteScheduler", Lms::plan, Betas.PLAIN, Schedules.COMMON, EnumSet.of(COUNT), ORDER),
    KDPM2("KDPM2DiscreteScheduler", Kdpm2::plan, Betas.LATENT, Schedules.COMMON, EnumSet.of(COUNT)),
    KDPM2_ANCESTRAL("KDPM2AncestralDiscreteScheduler", Kdpm2::planAncestral, Betas.LATENT, Schedules.COMMON, EnumSet.of(COUNT)),
    DPM_MULTISTEP("DPMSolverMultistepScheduler", DpmSolverMultistep::plan, Betas.NEARLY_ZERO_SNR, Schedules.WITH_LU,
            EnumSet.of(COUNT, TIMESTEPS)),
    DPM_SINGLESTEP("DPMSolverSinglestepScheduler", DpmSolverSinglestep::plan, Betas.PLAIN, Schedules.COMMON, EnumSet.of(COUNT, TIMESTEPS)),
    DPM_SDE("DPMSolverSDEScheduler", DpmSde::plan, Betas.LATENT, Schedules.COMMON, EnumSet.of(COUNT)),
    UNIPC("UniPCMultistepScheduler", UniPc::plan, Betas.NEARLY_ZERO_SNR, Schedules.COMMON, EnumSet.of(COUNT, SIGMAS)),
    DEIS("DEISMultistepScheduler", Deis::plan, Betas.PLAIN, Schedules.COMMON, EnumSet.of(COUNT)),
    SA("SASolverScheduler", SaSolver::plan, Betas.PLAIN, Schedules.COMMON, EnumSet.of(COUNT)),
    IPNDM("IPNDMScheduler", Ipndm::plan, Betas.NONE, Schedules.NONE, EnumSet.of(COUNT)),
    LCM("LCMScheduler", Lcm::plan, Betas.DISTILLED, Schedules.NONE, EnumSet.of(COUNT, TIMESTEPS)),
    TCD("TCDScheduler", Tcd::plan, Betas.DISTILLED, Schedules.NONE, EnumSet.of(COUNT, TIMESTEPS), ETA),
    CONSISTENCY("CMStochasticIterativeScheduler", Consistency::plan, Betas.NONE, Schedules.NONE, EnumSet.of(COUNT, TIMESTEPS)),
    EDM_EULER("EDMEulerScheduler", EdmLayout::euler, Betas.NONE, Schedules.NONE, EnumSet.of(COUNT), CHURN),
    EDM_MULTISTEP("EDMDPMSolverMultistepScheduler", EdmLayout::multistep, Betas.NONE, Schedules.NONE, EnumSet.of(COUNT)),
    FLOW_EULER("FlowMatchEulerDiscreteScheduler", FlowEuler::plan, Betas.NONE, Schedules.COMMON, EnumSet.allOf(Steps.Kind.class)),
    FLOW_HEUN("FlowMatchHeunDiscreteScheduler", FlowHeun::plan, Betas.NONE, Schedules.NONE, EnumSet.of(COUNT)),
    UNCLIP("UnCLIPScheduler", Ddpm::unclip, Betas.UNCLIP, Schedules.NONE, EnumSet.of(COUNT));

    /** Lays a scheduler's sampler out for a number of steps. */
    @FunctionalInterface
    interface Planner {
        Sampling plan(SchedulerConfig config, Steps steps, StepOptions options);
    }

    private static final class Schedules {
        private static final Set<SigmaSchedule> NONE = EnumSet.noneOf(SigmaSchedule.class);
        private static final Set<SigmaSchedule> COMMON = EnumSet.of(SigmaSchedule.KARRAS, SigmaSchedule.EXPONENTIAL, SigmaSchedule.BETA);
        private static final Set<SigmaSchedule> WITH_LU = EnumSet.complementOf(EnumSet.of(SigmaSchedule.NORMAL));
    }

    private final String className;
    private final Planner planner;
    private final Betas betas;
    private final Set<SigmaSchedule> schedules;
    private final Set<Steps.Kind> steps;
    private final Set<StepOptions.Kind> options;

    SchedulerClass(String className, Planner planner, Betas betas, Set<SigmaSchedule> schedules, Set<Steps.Kind> steps,
            StepOptions.Kind... options) {
        this.className = className;
        this.planner = planner;
        this.betas = betas;
        this.schedules = schedules;
        this.steps = steps;
        this.options = Set.of(options);
    }

    static Optional<SchedulerClass> named(String className) {
        return Arrays.stream(values()).filter(c -> c.className.equals(className)).findFirst();
    }

    static List<String> names() {
        return Arrays.stream(values()).map(SchedulerClass::className).toList();
    }

    /** As diffusers calls it. */
    String className() {
        return className;
    }

    Betas betas() {
        return betas;
    }

    /** The schedules of sigmas that the class has a key for. */
    Set<SigmaSchedule> schedules() {
        return schedules;
    }

    Sampling plan(SchedulerConfig config, Steps wanted, StepOptions chosen) {
        if (!steps.contains(wanted.kind())) {
            throw new IllegalArgumentException(className + " takes a number of steps"
                    + (steps.contains(TIMESTEPS) ? " or timesteps" : "") + ", no "
                    + (wanted.kind() == SIGMAS ? "sigmas" : "timesteps") + " of one's own");
        }
        for (StepOptions.Kind kind : chosen.given()) {
            if (!options.contains(kind)) {
                String users = String.join(", ", Arrays.stream(values()).filter(c -> c.options.contains(kind))
                        .map(SchedulerClass::className).toList());
                throw new IllegalArgumentException(kind + " is not used by " + className + "; it is by " + users);
            }
        }
        return planner.plan(config, wanted, chosen);
    }
}
