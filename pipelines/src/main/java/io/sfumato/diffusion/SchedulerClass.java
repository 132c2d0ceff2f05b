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

/** The schedulers of diffusers and the samplers of k-diffusion that there are: how each is laid out, and what it takes. */
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
    FLOW_HEUN("FlowMatchHeunDiscreteScheduler", Heun::flow, Betas.NONE, Schedules.NONE, EnumSet.of(COUNT)),
    UNCLIP("UnCLIPScheduler", Ddpm::unclip, Betas.UNCLIP, Schedules.NONE, EnumSet.of(COUNT)),

    K_EULER("sample_euler", KDiffusion::euler, CHURN),
    K_EULER_ANCESTRAL("sample_euler_ancestral", KDiffusion::eulerAncestral),
    K_HEUN("sample_heun", KDiffusion::heun),
    K_DPM_2("sample_dpm_2", KDiffusion::dpm2),
    K_DPM_2_ANCESTRAL("sample_dpm_2_ancestral", KDiffusion::dpm2Ancestral),
    K_LMS("sample_lms", KDiffusion::lms, ORDER),
    K_DPMPP_2S_ANCESTRAL("sample_dpmpp_2s_ancestral", KDiffusion::dpmpp2sAncestral),
    K_DPMPP_SDE("sample_dpmpp_sde", KDiffusion::dpmppSde),
    K_DPMPP_2M("sample_dpmpp_2m", KDiffusion::dpmpp2m),
    K_DPMPP_2M_SDE("sample_dpmpp_2m_sde", KDiffusion::dpmpp2mSde),
    K_DPMPP_3M_SDE("sample_dpmpp_3m_sde", KDiffusion::dpmpp3mSde),
    K_DPM_FAST("sample_dpm_fast", KDiffusion::dpmFast),
    K_DPM_ADAPTIVE("sample_dpm_adaptive", KDiffusion::dpmAdaptive),
    K_RESTART("restart_sampler", KDiffusion::restart);

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

    private static final Set<SchedulerClass> EDM = EnumSet.of(EDM_EULER, EDM_MULTISTEP);

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

    /** A function of k-diffusion, which takes sigmas. */
    SchedulerClass(String className, Planner planner, StepOptions.Kind... options) {
        this(className, planner, Betas.NEARLY_ZERO_SNR, Schedules.NONE, EnumSet.of(COUNT, SIGMAS), options);
    }

    static Optional<SchedulerClass> named(String className) {
        return Arrays.stream(values()).filter(c -> c.className.equals(className)).findFirst();
    }

    static List<String> names() {
        return Arrays.stream(values()).map(SchedulerClass::className).toList();
    }

    /** Those that a {@code scheduler_config.json} may name. */
    static List<String> inFiles() {
        return Arrays.stream(values()).filter(c -> !c.ofKDiffusion()).map(SchedulerClass::className).toList();
    }

    boolean ofKDiffusion() {
        return compareTo(K_EULER) >= 0;
    }

    boolean isFlow() {
        return this == FLOW_EULER || this == FLOW_HEUN;
    }

    /** Whether it has {@code use_flow_sigmas}. */
    boolean solvesFlows() {
        return Set.of(DPM_MULTISTEP, DPM_SINGLESTEP, UNIPC, DEIS, SA).contains(this);
    }

    /** This, or what does the same for networks that were trained for {@code other}; empty where they are of another kind. */
    Optional<SchedulerClass> forNetworksOf(SchedulerClass other) {
        if (other.isFlow()) {
            return switch (this) {
                case EULER, K_EULER, FLOW_EULER -> Optional.of(FLOW_EULER);
                case HEUN, K_HEUN, FLOW_HEUN -> Optional.of(FLOW_HEUN);
                default -> Optional.of(this).filter(SchedulerClass::solvesFlows);
            };
        }
        boolean alike = betas.schedules().contains("linear") && other.betas.schedules().contains("linear");
        boolean edm = EDM.contains(this) && EDM.contains(other);
        return Optional.of(this).filter(c -> c == other || alike || edm);
    }

    /** The classes that sample networks trained for this one. */
    List<String> kin() {
        return Arrays.stream(values()).filter(c -> c.forNetworksOf(this).filter(c::equals).isPresent()).map(SchedulerClass::className)
                .toList();
    }

    /** Whether it takes sigmas wherever a {@link KSchedule} puts them. */
    boolean takesAnySigmas() {
        return ofKDiffusion() || this == EULER_ANCESTRAL || betas.schedules().contains("linear") && !schedules.isEmpty();
    }

    /** As diffusers or k-diffusion calls it. */
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
