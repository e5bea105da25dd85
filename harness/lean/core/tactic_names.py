"""The words that start tactics, by the shape of what follows."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SIMPLE = _words(
    "assumption constructor left right rfl eq_refl exfalso contradiction trivial decide omega done skip sorry"
    " admit nofun symm split infer_instance and_intros subst_vars ac_rfl classical"
)
"""Alone."""

ONE_TERM = _words("exact apply refine refine' absurd specialize")
"""Before one term."""

TERM_LIST = _words("use exists exacts nomatch subst existsi")
"""Before terms (separated by commas, but for `subst`)."""

SOME_NAMES = _words("intros clear revert rename_i funext")
"""Before names."""

BLOCKS = _words("· . try repeat repeat' repeat1 repeat1' all_goals any_goals focus iterate")
"""Before a tactic block."""

MATHLIB = _words("use existsi exacts absurd set by_contra cases' induction'")
"""Of the fragment's tactics those that Mathlib brings: without its header they are unknown."""

OTHERS = _words(
    """
    ring ring_nf ring1 linarith nlinarith polyrith positivity field_simp norm_num norm_num1
    norm_cast push_cast exact_mod_cast apply_mod_cast rw_mod_cast assumption_mod_cast simp_rw
    simp_arith simp_all_arith aesop tauto itauto finish push_neg push contrapose gcongr bound
    interval_cases fin_cases mod_cases decide_eq convert convert_to congr congr' ext ext1
    apply_fun apply_rules solve_by_elim exact? apply? rw? simp? hint show_term nth_rewrite
    nth_rw conv conv_lhs conv_rhs abel abel_nf group noncomm_ring linear_combination module
    continuity fun_prop measurability filter_upwards infer_param lift zify qify rify obviously
    tfae_have tfae_finish choose peel wlog by_contra' swap rotate_left rotate_right pick_goal
    on_goal stop slice_lhs slice_rhs unfold_let subst_eqs injections exact_if cc bv_decide
    bv_omega bv_normalize grind native_decide norm_fin compute_degree monicity nlinarith!
    linarith! omega_nat extract_goal extract_lets clear_value replace refine_lift refine_lift'
    trans transitivity reflexivity symm_saturate split_ifs split_and unhygienic guard_hyp
    guard_target inhabit nontriviality casesm cases_type constructorm rsuffices pull simproc trace
    trace_state run_tac dbg_trace sleep with_reducible with_unfolding_all eapply fapply triv
    use_discharger itauto! rel rcongr cancel_denoms reduce reduce_mod_char set! haveI' letI'
    existsi! decreasing_tactic decreasing_with exact_lift apply_ext_theorem apply_assumption
    false_or_by_contra intro! ac_nf simp_intro dsimp? simp_all? simpa? says observe match_target
    beta_reduce eta_reduce eta_expand unfold_projs
    """
)
"""Tactics of core Lean and Mathlib outside of the fragment."""
